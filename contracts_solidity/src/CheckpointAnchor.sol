// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A witness of append-only logs
/// @notice Keeps the newest head (size and root) of each log and moves it only along a consistency proof of
/// RFC 9162: a log that forked, was rewritten or was rolled back cannot be anchored.
/// @dev No owner, no upgrade, no immutable and no funds: the same code, with the same hash, on every chain.
/// Authority is not gas: whoever has the signature of the log's head key may send it.
contract CheckpointAnchor {
    /// @notice The newest anchored head of a log. `key` signs heads and never changes.
    struct Log {
        address key;
        uint64 size;
        bytes32 root;
    }

    /// @notice A log was opened under `logId`.
    event Opened(bytes32 indexed logId, address indexed opener, address headKey, string origin);
    /// @notice The head of a log moved. The tree of `newSize` entries begins with that of `oldSize`.
    event Anchored(bytes32 indexed logId, uint64 oldSize, uint64 newSize, bytes32 newRoot);

    error AlreadyOpen(bytes32 logId);
    error NotOpen(bytes32 logId);
    error NoHeadKey();
    error EmptyOrigin();
    error NotLarger(uint64 size, uint64 newSize);
    error NotSignedByHeadKey(address signer);
    error MalformedSignature();
    error ProofLength(uint256 expected, uint256 found);
    error OldRootMismatch(bytes32 found);
    error NewRootMismatch(bytes32 found);

    bytes32 private constant TAG = keccak256("notary anchor v1");
    /// @dev Half the order of secp256k1. Above it lies the twin of each signature (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    mapping(bytes32 => Log) private logs;

    /// @notice Open a log. Its id holds the sender, so nobody can take the origin of another.
    /// @param origin name of the log, as its checkpoints bear it
    /// @param headKey address of the key that will sign heads
    /// @return logId keccak256(abi.encode(sender, origin))
    function open(string calldata origin, address headKey) external returns (bytes32 logId) {
        if (bytes(origin).length == 0) revert EmptyOrigin();
        if (headKey == address(0)) revert NoHeadKey();
        logId = keccak256(abi.encode(msg.sender, origin));
        if (logs[logId].key != address(0)) revert AlreadyOpen(logId);
        logs[logId].key = headKey;
        emit Opened(logId, msg.sender, headKey, origin);
    }

    /// @notice Move the head of a log.
    /// @param logId the log
    /// @param newSize entries in the new tree, more than in the newest head
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
        address key = log.key;
        uint64 oldSize = log.size;
        if (key == address(0)) revert NotOpen(logId);
        if (newSize <= oldSize) revert NotLarger(oldSize, newSize);
        bytes32 digest = keccak256(abi.encode(TAG, block.chainid, address(this), logId, newSize, newRoot));
        address signer = signerOf(digest, signature);
        if (signer != key) revert NotSignedByHeadKey(signer);
        requireConsistent(oldSize, newSize, log.root, newRoot, consistencyProof);
        log.size = newSize;
        log.root = newRoot;
        emit Anchored(logId, oldSize, newSize, newRoot);
    }

    /// @notice The newest head; size 0 where nothing was anchored.
    function head(bytes32 logId) external view returns (uint64 size, bytes32 root) {
        Log storage log = logs[logId];
        return (log.size, log.root);
    }

    /// @notice The key that signs heads of a log; 0 where it is not open.
    function keyOf(bytes32 logId) external view returns (address) {
        return logs[logId].key;
    }

    /// @dev RFC 9162 2.1.4.2, by the position of the last complete subtree of the old tree.
    function requireConsistent(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) private pure {
        if (oldSize == 0) {
            if (proof.length != 0) revert ProofLength(0, proof.length);
            return;
        }
        // The node to start from: the subtree that ends with the last old leaf, and the last one beside it.
        uint256 index = oldSize - 1;
        uint256 last = newSize - 1;
        while (index & 1 == 1) {
            index >>= 1;
            last >>= 1;
        }
        // An old tree that is one complete subtree starts the way by its own root, which need not be sent.
        uint256 next = index == 0 ? 0 : 1;
        uint256 expected = next + pathLength(index, last);
        if (proof.length != expected) revert ProofLength(expected, proof.length);
        bytes32 oldNode = index == 0 ? oldRoot : proof[0];
        bytes32 newNode = oldNode;
        while (last != 0) {
            if (index & 1 == 1) {
                bytes32 left = proof[next++];
                oldNode = hashNode(left, oldNode);
                newNode = hashNode(left, newNode);
            } else if (index != last) {
                // On the right: leaves that the old tree did not have.
                newNode = hashNode(newNode, proof[next++]);
            }
            index >>= 1;
            last >>= 1;
        }
        if (oldNode != oldRoot) revert OldRootMismatch(oldNode);
        if (newNode != newRoot) revert NewRootMismatch(newNode);
    }

    /// @dev Siblings between a node and the root; `last` is the index of the last node of its level.
    function pathLength(uint256 index, uint256 last) private pure returns (uint256 length) {
        while (last != 0) {
            if (index & 1 == 1 || index != last) length++;
            index >>= 1;
            last >>= 1;
        }
    }

    function hashNode(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function signerOf(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        if (signature.length != 65) revert MalformedSignature();
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > HALF_ORDER) revert MalformedSignature();
        signer = ecrecover(digest, uint8(signature[64]), r, s);
        if (signer == address(0)) revert MalformedSignature();
    }
}
