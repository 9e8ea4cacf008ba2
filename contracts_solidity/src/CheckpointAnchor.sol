// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A witness of append-only logs
/// @notice Keeps the newest head (size and root) of each log and moves it only along a consistency proof of
/// RFC 9162: a log that forked, was rewritten or was rolled back cannot be anchored.
/// @dev No owner, no upgrade, no immutable and no funds: the same code, with the same hash, on every chain.
/// Authority is not gas: whoever has the signature of the log's head key may send it.
contract CheckpointAnchor {
    /// @notice The newest anchored head of a log, in two slots.
    /// @param key signs heads, and hands over to the next key
    /// @param size entries; 0 where nothing was anchored
    /// @param turn offers so far, so that the signature of one can never be used again
    /// @param root of the tree of `size` entries
    struct Log {
        address key;
        uint64 size;
        uint32 turn;
        bytes32 root;
    }

    /// @notice A log was opened under `logId`.
    event Opened(bytes32 indexed logId, address indexed opener, address headKey, string origin);
    /// @notice The head of a log moved. The tree of `newSize` entries begins with that of `oldSize`.
    event Anchored(bytes32 indexed logId, uint64 oldSize, uint64 newSize, bytes32 newRoot);
    /// @notice The head key named the next one, which has yet to accept.
    event Offered(bytes32 indexed logId, address headKey, address nextKey);
    /// @notice From here on `headKey` signs heads.
    event HandedOver(bytes32 indexed logId, address formerKey, address headKey);

    error AlreadyOpen();
    error NotOpen();
    error NoHeadKey();
    error EmptyOrigin();
    error NotLarger();
    error TooFar();
    error NotSignedByHeadKey();
    error NotOffered();
    error MalformedSignature();
    error ProofLength();
    error OldRootMismatch();
    error NewRootMismatch();

    bytes32 private constant ANCHOR_TAG = keccak256("notary anchor v1");
    bytes32 private constant OFFER_TAG = keccak256("notary offer v1");
    bytes32 private constant ACCEPT_TAG = keccak256("notary accept v1");
    /// @dev Half the order of secp256k1. Above it lies the twin of each signature (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    /// @dev Entries that one anchor may add: a slip of the size must not end the log for ever.
    uint64 private constant FARTHEST = 1 << 32;

    mapping(bytes32 logId => Log) private logs;
    mapping(bytes32 logId => address) private offered;

    /// @notice Open a log. Its id holds the sender, so nobody can take the origin of another.
    /// @param origin name of the log, as its checkpoints bear it
    /// @param headKey address of the key that will sign heads
    /// @return logId keccak256(abi.encode(sender, origin))
    function open(string calldata origin, address headKey) external returns (bytes32 logId) {
        if (bytes(origin).length == 0) revert EmptyOrigin();
        if (headKey == address(0)) revert NoHeadKey();
        logId = keccak256(abi.encode(msg.sender, origin));
        if (logs[logId].key != address(0)) revert AlreadyOpen();
        logs[logId].key = headKey;
        emit Opened(logId, msg.sender, headKey, origin);
    }

    /// @notice Move the head of a log.
    /// @param logId the log
    /// @param newSize entries in the new tree: more than in the newest head, by 2^32 at most
    /// @param newRoot root of the new tree
    /// @param consistencyProof RFC 9162 2.1.4, from the newest head to the new one; empty for the first
    /// @param signature r, s, v of the head key over keccak256(abi.encode(keccak256("notary anchor v1"),
    /// chain id, this contract, logId, newSize, newRoot))
    function anchor(
        bytes32 logId,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] calldata consistencyProof,
        bytes calldata signature
    ) external {
        Log storage log = logs[logId];
        uint256 packed; // key, size and turn, read once and written once
        assembly ("memory-safe") {
            packed := sload(log.slot)
        }
        address key = address(uint160(packed));
        uint64 oldSize = uint64(packed >> 160);
        if (key == address(0)) revert NotOpen();
        if (newSize <= oldSize) revert NotLarger();
        unchecked {
            if (newSize - oldSize > FARTHEST) revert TooFar();
        }
        bytes32 digest = keccak256(abi.encode(ANCHOR_TAG, block.chainid, address(this), logId, newSize, newRoot));
        if (signerOf(digest, signature) != key) revert NotSignedByHeadKey();
        requireConsistent(oldSize, newSize, log.root, newRoot, consistencyProof);
        assembly ("memory-safe") {
            sstore(log.slot, or(and(packed, not(shl(160, 0xffffffffffffffff))), shl(160, newSize)))
        }
        log.root = newRoot;
        emit Anchored(logId, oldSize, newSize, newRoot);
    }

    /// @notice First step of a hand-over: the head key names the next one. A later offer replaces an
    /// earlier one, which cannot be sent again.
    /// @param logId the log
    /// @param nextKey address of the next head key
    /// @param signature of the head key over keccak256(abi.encode(keccak256("notary offer v1"), chain id,
    /// this contract, logId, turn, nextKey))
    function handOver(bytes32 logId, address nextKey, bytes calldata signature) external {
        Log storage log = logs[logId];
        address key = log.key;
        if (key == address(0)) revert NotOpen();
        if (nextKey == address(0)) revert NoHeadKey();
        if (signerOf(handDigest(OFFER_TAG, logId, log.turn, nextKey), signature) != key) revert NotSignedByHeadKey();
        offered[logId] = nextKey;
        unchecked {
            log.turn++; // each signature is good once; four billion offers are out of reach
        }
        emit Offered(logId, key, nextKey);
    }

    /// @notice Second step: the key that was named shows that somebody has it, and signs heads from here on.
    /// @param logId the log
    /// @param signature of the next key over keccak256(abi.encode(keccak256("notary accept v1"), chain id,
    /// this contract, logId, turn, nextKey))
    function accept(bytes32 logId, bytes calldata signature) external {
        Log storage log = logs[logId];
        address next = offered[logId];
        if (signerOf(handDigest(ACCEPT_TAG, logId, log.turn, next), signature) != next) revert NotOffered();
        emit HandedOver(logId, log.key, next);
        log.key = next;
        delete offered[logId];
    }

    /// @notice The newest head; size 0 where nothing was anchored.
    function head(bytes32 logId) external view returns (uint64 size, bytes32 root) {
        Log storage log = logs[logId];
        return (log.size, log.root);
    }

    /// @notice The keys of a log.
    /// @return headKey signs heads; 0 where the log is not open
    /// @return nextKey was named by a hand-over and has not accepted yet, or 0
    /// @return turn offers so far: what the next offer signs, and the acceptance of the last one
    function keysOf(bytes32 logId) external view returns (address headKey, address nextKey, uint32 turn) {
        Log storage log = logs[logId];
        return (log.key, offered[logId], log.turn);
    }

    /// @notice Whether an entry is in the newest anchored tree. RFC 9162 2.1.3.2; size and root are the head's,
    /// since a proof does not bind them.
    /// @param logId the log
    /// @param entry 32 bytes; its leaf hash is computed here, so no inner node passes for an entry
    /// @param index position of the entry, from 0
    /// @param proof siblings, the leaf's first, for the size of the newest head
    function verifyInclusion(bytes32 logId, bytes32 entry, uint64 index, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Log storage log = logs[logId];
        (uint256 place, uint256 last) = (index, log.size);
        if (place >= last) return false;
        bytes32 node;
        uint256 taken;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            mstore(add(buffer, 1), entry)
            if iszero(staticcall(gas(), 2, buffer, 33, 0, 32)) { revert(0, 0) }
            node := mload(0)
            mstore8(buffer, 1)
            let next := proof.offset
            for { last := sub(last, 1) } last { last := shr(1, last) } {
                // The node goes to its side of the buffer, its sibling to the other.
                let right := and(place, 1)
                if or(right, xor(place, last)) {
                    mstore(add(buffer, add(1, shl(5, right))), node)
                    mstore(add(buffer, sub(33, shl(5, right))), calldataload(next))
                    if iszero(staticcall(gas(), 2, buffer, 65, 0, 32)) { revert(0, 0) }
                    node := mload(0)
                    next := add(next, 32)
                }
                place := shr(1, place)
            }
            taken := shr(5, sub(next, proof.offset))
        }
        return taken == proof.length && node == log.root;
    }

    /// @dev RFC 9162 2.1.4.2, by the position of the last complete subtree of the old tree.
    function requireConsistent(
        uint256 oldSize,
        uint256 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) private view {
        if (oldSize == 0) {
            if (proof.length != 0) revert ProofLength();
            return;
        }
        bytes32 oldNode;
        bytes32 newNode;
        uint256 taken;
        // Hashes are read past the end of a proof that is too short: they are of no avail, as its length is
        // looked at before any root is. At most 63 rounds.
        assembly ("memory-safe") {
            // What is hashed: 01, left, right.
            let prefix := mload(0x40)
            let left := add(prefix, 1)
            let right := add(prefix, 33)
            mstore8(prefix, 1)
            let good := 1
            // The node to start from: the subtree that ends with the last old leaf, and the last one beside it.
            let index := sub(oldSize, 1)
            let last := sub(newSize, 1)
            for {} and(index, 1) {} {
                index := shr(1, index)
                last := shr(1, last)
            }
            let next := proof.offset
            // An old tree that is one complete subtree starts the way by its own root, which need not be sent.
            oldNode := oldRoot
            if index {
                oldNode := calldataload(next)
                next := add(next, 32)
            }
            newNode := oldNode
            for {} last {} {
                switch and(index, 1)
                case 1 {
                    mstore(left, calldataload(next))
                    next := add(next, 32)
                    mstore(right, newNode)
                    good := and(good, staticcall(gas(), 2, prefix, 65, 0, 32))
                    // Until leaves come in that the old tree did not have, both are one.
                    switch eq(oldNode, newNode)
                    case 1 {
                        newNode := mload(0)
                        oldNode := newNode
                    }
                    default {
                        newNode := mload(0)
                        mstore(right, oldNode)
                        good := and(good, staticcall(gas(), 2, prefix, 65, 0, 32))
                        oldNode := mload(0)
                    }
                }
                default {
                    if xor(index, last) {
                        mstore(left, newNode)
                        mstore(right, calldataload(next))
                        good := and(good, staticcall(gas(), 2, prefix, 65, 0, 32))
                        newNode := mload(0)
                        next := add(next, 32)
                    }
                }
                index := shr(1, index)
                last := shr(1, last)
            }
            // The precompile of SHA-256 fails only where gas ends.
            if iszero(good) { revert(0, 0) }
            taken := shr(5, sub(next, proof.offset))
        }
        if (taken != proof.length) revert ProofLength();
        if (oldNode != oldRoot) revert OldRootMismatch();
        if (newNode != newRoot) revert NewRootMismatch();
    }

    function handDigest(bytes32 tag, bytes32 logId, uint32 turn, address nextKey) private view returns (bytes32) {
        return keccak256(abi.encode(tag, block.chainid, address(this), logId, turn, nextKey));
    }

    function signerOf(bytes32 digest, bytes calldata signature) private view returns (address signer) {
        if (signature.length != 65) revert MalformedSignature();
        uint256 half;
        assembly ("memory-safe") {
            half := calldataload(add(signature.offset, 32))
            let at := mload(0x40)
            mstore(at, digest)
            mstore(add(at, 32), byte(0, calldataload(add(signature.offset, 64))))
            calldatacopy(add(at, 64), signature.offset, 64)
            // What is no signature gives no output, and leaves the zero.
            mstore(0, 0)
            pop(staticcall(gas(), 1, at, 128, 0, 32))
            signer := mload(0)
        }
        if (half > HALF_ORDER) revert MalformedSignature();
        if (signer == address(0)) revert MalformedSignature();
    }
}
