// The checks in words: of each id its name, and a sentence for passed, failed and could not be checked, in both
// languages. Words follow docs/glossary.md.

export const CHECKS = {
  "1.1": {
    zh: ["证据包可读", "证据包或证明文件完整，可以读取。", "证据包或证明文件无法读取，不再作其他核验。", "未能读取。"],
    en: ["The file can be read", "The package or proof is whole and can be read.", "The package or proof cannot be read; nothing else was checked.", "It was not read."],
  },
  "1.2": {
    zh: ["信任文件", "已给出信任文件。", "信任文件不可用。", "没有给出信任文件：签名、时间均无从比对。"],
    en: ["Trust file", "A trust file was given.", "The trust file cannot be used.", "No trust file was given: nothing can be said of signatures and times."],
  },
  "2.1": {
    zh: ["存证陈述", "存证陈述格式正确。", "存证陈述缺失或格式有误，其后的内容不再核验。", "未能读取存证陈述。"],
    en: ["Statement", "The statement is of its form.", "The statement is missing or not of its form; nothing after it was checked.", "The statement was not read."],
  },
  "2.2": {
    zh: ["所属日志", "存证陈述属于信任文件所指的存证日志。", "存证陈述属于另一个日志。", "没有信任文件，未能比对日志。"],
    en: ["Log", "The statement is of the log that the trust file names.", "The statement is of another log.", "Without a trust file the log was not compared."],
  },
  "2.3": {
    zh: ["文件与记录", "文件的全部摘要和大小与存证陈述一致。", "文件不是被存证的那一份：摘要或大小不同，或该记录没有文件。", "没有给出文件，未作比对。"],
    en: ["Document and record", "All digests of the document, and its size, are those of the statement.", "The document is not the one recorded: a digest or the size differs, or the record has none.", "No document was given to compare."],
  },
  "2.4": {
    zh: ["出示的内容", "出示的每一项内容都在存证陈述的承诺之中。", "出示的内容与存证陈述的承诺不符。", "未能核对出示的内容。"],
    en: ["What is opened", "The statement commits to everything that is opened.", "The statement does not commit to what is opened.", "What is opened was not compared."],
  },
  "3.1": {
    zh: ["检查点的签名", "检查点（或其根）由存证日志签名。", "检查点的签名、来源、大小或密钥有效期不符。", "未能核验检查点：缺少信任文件、检查点，或密钥期限内无时间依据。"],
    en: ["Signature of the checkpoint", "The log signed the checkpoint, or its root.", "Signature, origin, size or the period of the key is not as it must be.", "Not checked: there is no trust file or no checkpoint, or nothing dates it within the period of its key."],
  },
  "3.2": {
    zh: ["条目在日志中", "路径由本条目通向检查点的根。", "路径不通向检查点的根，长度不符，或缺少证明。", "未能核验条目是否在日志中。"],
    en: ["The entry is in the log", "The path leads from this entry to the root of the checkpoint.", "The path does not lead to the root, is not of its length, or there is no proof.", "Whether the entry is in the log was not checked."],
  },
  "3.3": {
    zh: ["各检查点属同一历史", "较新的检查点包含较旧的全部条目。", "检查点相互矛盾：日志签署了两个历史，或一致性证明不成立。", "未能证明这些检查点属同一历史。"],
    en: ["One history", "The later checkpoint holds all that the earlier one held.", "Checkpoints contradict each other: the log signed two histories, or the consistency proof does not hold.", "Nothing shows that these checkpoints are of one history."],
  },
  "4.1": {
    zh: ["回执的签名", "回执由存证日志的回执密钥签名。", "回执的签名或来源不符。", "未能核验回执：信任文件未列其密钥，或密钥期限不明。"],
    en: ["Signature of the receipt", "The log's receipt key signed the receipt.", "Signature or origin of the receipt is wrong.", "Not checked: the trust file names no receipt key, or its period leaves it open."],
  },
  "4.2": {
    zh: ["回执所含条目", "回执包含本条目。", "回执不包含本条目。", "未能核验回执所含条目。"],
    en: ["The receipt's entry", "The receipt covers this entry.", "The receipt does not cover this entry.", "What the receipt covers was not checked."],
  },
  "4.3": {
    zh: ["承诺已兑现", "条目在承诺的期限前入册，并有第三方时间证明。", "条目在承诺之前即已在日志中，回执的检查点不属本日志。", "没有检查点在承诺期限前获得第三方时间证明。"],
    en: ["The promise was kept", "The entry was closed, and attested, by the promised time.", "The entry was there before it was promised: the receipt's checkpoint is not of this log.", "No checkpoint with it is attested by the promised time."],
  },
  "5.1": {
    zh: ["时间戳", "时间戳覆盖该检查点，签名和证书路径成立。", "时间戳未通过核验。", "信任文件不认识该时间戳机构。"],
    en: ["Time stamp", "The token is over this checkpoint; its signature and certificates hold.", "The token does not hold.", "The trust file does not know this authority."],
  },
  "5.2": {
    zh: ["时间戳证书未被吊销", "时间戳的证书未被吊销，或吊销的原因与时间不影响该时间戳；根证书不核验。", "证书已被吊销，或吊销数据缺失、损坏、伪造。", "没有签发时间之后、涵盖各证书的吊销数据。"],
    en: ["Certificates not revoked", "No certificate of the token was revoked, or only so late and for such a reason that the token stands; the root is not checked.", "A certificate was revoked, or revocation data is missing, damaged or forged.", "There is no revocation data from the time of the token or later on every certificate."],
  },
  "5.3": {
    zh: ["OpenTimestamps 文件", "该文件由检查点通向比特币区块。", "该文件格式有误，或不属于该检查点。", "尚未进入比特币区块。"],
    en: ["OpenTimestamps file", "The file leads from the checkpoint to a Bitcoin block.", "The file is malformed, or over something else.", "It has reached no Bitcoin block yet."],
  },
  "5.4": {
    zh: ["比特币区块", "其默克尔根与信任文件中的比特币区块相同。", "信任文件中的比特币区块是另一个根。", "信任文件中没有该高度的比特币区块。"],
    en: ["Bitcoin block", "Its Merkle root is that of a Bitcoin block in the trust file.", "The Bitcoin block in the trust file has another root.", "The trust file has no Bitcoin block of this height."],
  },
  "6.1": {
    zh: ["锚定文件", "锚定文件格式正确，链与合约是信任文件所列。", "锚定文件格式有误，或属于另一条链、另一个合约。", "信任文件没有列出该链。"],
    en: ["Anchor file", "The file is of its form, and chain and contract are those of the trust file.", "The file is malformed, or of another chain or contract.", "The trust file does not name this chain."],
  },
  "6.2": {
    zh: ["区块哈希", "区块哈希与信任文件或您所指的节点给出的相同。", "信任文件或您所指的节点给出的该高度区块哈希不同。", "信任文件没有该区块，请向节点或区块浏览器比对。"],
    en: ["Block hash", "The hash of the block is that of the trust file, or of a node that you named.", "The trust file, or a node that you named, has another hash for this block.", "The trust file does not have this block: compare its hash at a node or an explorer."],
  },
  "6.3": {
    zh: ["合约事件", "该区块的收据中有合约记录的锚定事件。", "收据证明不成立，或没有锚定事件。", "未能核验合约事件。"],
    en: ["Event of the contract", "A receipt of this block holds the event that the contract recorded.", "The proof of the receipt does not hold, or there is no such event.", "The event was not checked."],
  },
  "6.4": {
    zh: ["锚定的检查点", "链上记录的大小和根与该检查点相同。", "链上记录的是另一个检查点。", "未能比对链上记录。"],
    en: ["The checkpoint anchored", "Size and root on the chain are those of this checkpoint.", "Another checkpoint is recorded on the chain.", "What the chain recorded was not compared."],
  },
  "6.5": {
    zh: ["合约代码", "合约代码的哈希与信任文件相同。", "合约代码不是信任文件所指。", "没有保存合约账户的证明。"],
    en: ["Code of the contract", "The contract's code is the one of the trust file.", "The contract's code is another.", "No proof of the contract's account was captured."],
  },
  "6.6": {
    zh: ["合约中的检查点与密钥", "合约中保存的大小、根与签名密钥符合。", "合约中保存的内容或密钥不符，或区块、大小不在该密钥的期限之内。", "没有保存合约存储的证明，或同一区块中有更新的检查点。"],
    en: ["Head and key in the contract", "Size, root and head key that the contract holds are as they must be.", "What the contract holds, or its head key, is another; or block or size are outside of the period of that key.", "No proof of the contract's storage was captured, or a later head was anchored in the same block."],
  },
  "6.7": {
    zh: ["验证者签名", "三分之二以上的验证者签署了该区块。", "验证者签名不足，或不是信任文件所列。", "信任文件没有适用于该区块的验证者名单。"],
    en: ["Seals of validators", "At least two thirds of the validators sealed the block.", "Too few seals, or not by the validators of the trust file.", "The trust file has no set of validators for this block."],
  },
  "7.1": {
    zh: ["起始区块", "有存证陈述所指的区块头。", "区块头格式有误，或与存证陈述所写不符。", "没有该区块头。"],
    en: ["Not-before block", "The header of the block that the statement names is there.", "A header is malformed, or is not as the statement says.", "The header of that block is not there."],
  },
  "7.2": {
    zh: ["起始区块属于该链", "该区块在链上，记录制作于其后。", "信任文件或您所指的节点给出另一区块，或其证明不成立。", "未能核验该区块是否在链上。"],
    en: ["That block is of the chain", "The block is of the chain: the record was made after it.", "The trust file, or a node that you named, has another block, or the proof that it is of the chain does not hold.", "Whether that block is of the chain was not checked."],
  },
  "8.1": {
    zh: ["内容存在的最晚时间", "足够数量的独立来源给出了时间界限。", "时间界限相互矛盾。", "独立来源不足，不能给出时间。"],
    en: ["Time by which it existed", "Enough independent sources bound the time.", "The bounds contradict each other.", "Too few independent sources bound the time."],
  },
  "9.1": {
    zh: ["签名检查记录", "运营方对文件签名的检查记录在日志中。", "检查记录不属于本记录，或不在日志中。", "未能核验检查记录是否在日志中。"],
    en: ["Inspection", "The operator's inspection of the document is in the log.", "The inspection is not of this record, or not in the log.", "Whether the inspection is in the log was not checked."],
  },
  "9.2": {
    zh: ["逾期入册", "运营方已在日志中说明：本条目入册晚于承诺。", "该说明不属于本回执，或不在日志中。", "未能核验该说明。"],
    en: ["Closed late", "The operator says in the log that this entry was closed later than promised.", "That statement is not about this receipt, or not in the log.", "That statement was not checked."],
  },
  "9.3": {
    zh: ["此前的记录", "此前的全部记录逐条相连，直至最初。", "此前的记录不相连，或不在日志中。", "此前的记录在某处中断，或未能核验。"],
    en: ["Earlier statements", "The statements before this one are linked, back to the first.", "The statements before this one are not linked, or not in the log.", "The chain of earlier statements is cut, or was not checked."],
  },
};

const PLACES = { passed: 1, failed: 2, could_not_be_checked: 3 };

export const nameOf = (id, language) => CHECKS[id]?.[language][0] ?? id;
export const sentenceOf = ({ id, outcome }, language) => CHECKS[id]?.[language][PLACES[outcome]] ?? "";
