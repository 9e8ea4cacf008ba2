# Checks the files of an unpacked evidence package on Windows: PowerShell 5 or later, nothing to install.
#
#   powershell -ExecutionPolicy Bypass -File tools\check.ps1 [-Document FILE] [-Package FOLDER]
#
# It compares manifests, document, entry and, for each head, the path from the entry to the root in the checkpoint
# (1.1, 2.3, 3.2 of docs/formats.md, without signatures). It checks no signature, no time stamp and no chain, so its
# outcome is never "passed": exit status 1 failed, 2 could not be checked. verify.html and notary verify do the rest.
# 在 Windows 上核对已解压的证据包。不核验签名、时间戳与区块链，因此结论至多为“未能核验”。
param([string]$Document = "", [string]$Package = ".")
Set-StrictMode -Version 2
$ErrorActionPreference = "Stop"
$script:Failed = $false
$script:Index = $null

function Say([string]$Id, [string]$Outcome, [string]$English, [string]$Chinese) {
    if ($Outcome -eq "failed") { $script:Failed = $true }
    $words = @{ passed = "equal 一致"; failed = "FAILED 未通过"; unchecked = "could not be checked 未能核验" }
    Write-Output ("{0,-4} {1}  {2} {3}" -f $Id, $words[$Outcome], $English, $Chinese)
}

function Hex([byte[]]$Bytes) { return ([BitConverter]::ToString($Bytes) -replace "-", "").ToLowerInvariant() }

# Text of a file, byte for byte: ReadAllText would take marks of other encodings at the beginning for what they say.
function ReadText([string]$Path) {
    return (New-Object Text.UTF8Encoding($false, $true)).GetString([IO.File]::ReadAllBytes($Path))
}

function Sha256([byte[]]$Bytes) {
    $sha = [Security.Cryptography.SHA256]::Create()
    try { return , $sha.ComputeHash($Bytes) } finally { $sha.Dispose() }
}

function FileSha256([string]$Path) {
    $sha = [Security.Cryptography.SHA256]::Create()
    $stream = [IO.File]::OpenRead($Path)
    try { return Hex $sha.ComputeHash($stream) } finally { $stream.Dispose(); $sha.Dispose() }
}

function Node([byte[]]$Left, [byte[]]$Right) { return , (Sha256 ([byte[]](@(1) + $Left + $Right))) }

# RFC 9162 2.1.3.2
function Root([byte[]]$Leaf, [long]$Index, [long]$Size, [object[]]$Path) {
    if ($Index -lt 0 -or $Index -ge $Size) { throw "the index is outside the tree" }
    $number = $Index; $last = $Size - 1; $hash = $Leaf
    foreach ($sibling in $Path) {
        if ($last -eq 0) { throw "the path is too long" }
        if (($number -band 1) -eq 1 -or $number -eq $last) {
            $hash = Node $sibling $hash
            while (($number -band 1) -eq 0 -and $number -ne 0) { $number = $number -shr 1; $last = $last -shr 1 }
        } else {
            $hash = Node $hash $sibling
        }
        $number = $number -shr 1; $last = $last -shr 1
    }
    if ($last -ne 0) { throw "the path is too short" }
    return , $hash
}

# A manifest is fixed by the files to the byte (11.3): it is made anew, and compared.
function CheckManifest([string]$Folder, [string]$Name, [string[]]$Members) {
    $place = Join-Path $Folder $Name
    if (-not [IO.File]::Exists($place)) { Say "1.1" "failed" "$Name is missing" "缺少清单"; return }
    $sorted = [string[]]$Members.Clone()
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    $text = New-Object Text.StringBuilder
    foreach ($member in $sorted) {
        $path = Join-Path $Folder ($member -replace "/", [IO.Path]::DirectorySeparatorChar)
        [void]$text.Append((FileSha256 $path)).Append("  ").Append($member).Append("`n")
    }
    try { $found = ReadText $place } catch { $found = $null }
    if ($null -ne $found -and [string]::Equals($found, $text.ToString(), [StringComparison]::Ordinal)) { Say "1.1" "passed" ("{0}: {1} files" -f $Name, $sorted.Length) ""; return }
    $lines = @()
    if ($null -ne $found) { $lines = @($found.Split("`n")) }
    foreach ($line in $text.ToString().Split("`n")) {
        if ($line -ne "" -and $lines -cnotcontains $line) { Say "1.1" "failed" ("{0} is not as {1} lists it" -f $line.Substring(66), $Name) "文件与清单不一致"; return }
    }
    Say "1.1" "failed" "$Name lists something else than the files that are there" "清单与现有文件不符"
}

function CheckDocument([string]$Statement, [string]$Path, [string]$Subject) {
    if ($Statement -cnotmatch '"digests":\{"sha-256":"([0-9a-f]{64})"') { Say "2.3" "failed" "$Subject the statement has no document" "陈述不含文件"; return }
    if ((FileSha256 $Path) -ceq $Matches[1]) { Say "2.3" "passed" "$Subject SHA-256 of the document; size and other digests were not compared" "文件的 SHA-256；大小与其他摘要未比对" }
    else { Say "2.3" "failed" "$Subject this is not the document that was recorded" "不是被存证的文件" }
}

function CheckHead([string]$Folder, [byte[]]$Leaf, [string]$Size) {
    $place = Join-Path $Folder "heads/$Size/inclusion.tlog-proof"
    if (-not [IO.File]::Exists($place)) { Say "3.2" "failed" "head ${Size}: its inclusion.tlog-proof is missing" "缺少包含证明"; return }
    try { $lines = @((ReadText $place).Split("`n")) } catch { $lines = @() }
    $blank = [Array]::IndexOf($lines, "")
    $start = 1
    if ($lines.Length -gt 1 -and $lines[1] -clike "extra *") { $start = 2 }
    if ($blank -le $start -or $lines.Length -lt $blank + 4 -or $lines[0] -cne "c2sp.org/tlog-proof@v1" -or $lines[$start] -cnotmatch "^index (0|[1-9][0-9]{0,18})$") {
        Say "3.2" "failed" "head ${Size}: not a proof" ""; return
    }
    $index = [long]0
    if (-not [long]::TryParse($Matches[1], [ref]$index)) { Say "3.2" "failed" "head ${Size}: the index is beyond 2^63" ""; return }
    $path = @()
    for ($at = $start + 1; $at -lt $blank; $at++) {
        try { $hash = [Convert]::FromBase64String($lines[$at]) } catch { $hash = [byte[]]@() }
        if ($hash.Length -ne 32 -or [Convert]::ToBase64String($hash) -cne $lines[$at]) { Say "3.2" "failed" "head ${Size}: a line of the path is no hash" ""; return }
        $path += , $hash
    }
    if ($lines[$blank + 2] -cne $Size) { Say "3.2" "failed" "head ${Size}: the checkpoint is of another size" ""; return }
    try { $root = [Convert]::ToBase64String((Root $Leaf $index ([long]$Size) $path)) }
    catch { Say "3.2" "failed" "head ${Size}: $($_.Exception.Message)" ""; return }
    if ($root -cne $lines[$blank + 3]) { Say "3.2" "failed" "head ${Size}: the path leads to another root" "路径得不到树根"; return }
    if ($null -ne $script:Index -and $script:Index -ne $index) { Say "3.2" "failed" "head ${Size}: the heads name different indexes for the entry" "各日志头中的序号不同"; return }
    $script:Index = $index
    Say "3.2" "passed" "head ${Size}: the path leads to the root; the signature was not checked" "路径得到树根；签名未核验"
}

try {
    $folder = (Resolve-Path -LiteralPath $Package).ProviderPath
    $length = $folder.TrimEnd("\", "/").Length + 1
    $files = @(Get-ChildItem -LiteralPath $folder -Recurse -Force -File | ForEach-Object { $_.FullName.Substring($length) -replace "\\", "/" })
    $payload = @($files | Where-Object { $_ -clike "data/*" })
    $tags = @($files | Where-Object { $_ -cnotlike "data/*" -and $_ -cnotlike "META-INF/*" -and $_ -cne "tagmanifest-sha256.txt" })
    CheckManifest $folder "manifest-sha256.txt" $payload
    CheckManifest $folder "tagmanifest-sha256.txt" $tags
    $data = [IO.File]::ReadAllBytes((Join-Path $folder "data/statement.json"))
    $statement = [Text.Encoding]::UTF8.GetString($data)
    $entry = Sha256 $data
    $leaf = Sha256 ([byte[]](@(0) + $entry))
    Write-Output ("     entry 条目 {0}" -f (Hex $entry))
    if ($Document -ne "") { CheckDocument $statement (Resolve-Path -LiteralPath $Document).ProviderPath "given:" }
    foreach ($member in $payload) {
        if ($member -clike "data/document/*") { CheckDocument $statement (Join-Path $folder $member) "packaged:" }
    }
    $sizes = @($files | Where-Object { $_ -cmatch "^heads/([1-9][0-9]{0,18})/" } | ForEach-Object { $_.Split("/")[1] } | Sort-Object -Unique)
    foreach ($size in $sizes) { CheckHead $folder $leaf $size }
    if ($statement -cmatch '"commitments":\{"count":([0-9]{1,2}),') {
        Say "2.4" "unchecked" ("which of the {0} commitments are opened here and which are withheld: tools/verify.html or notary verify" -f $Matches[1]) "承诺的披露与未出示，本程序不核验"
    }
    foreach ($id in "2.1", "2.2", "3.1", "3.3", "4.1", "5.1", "6.1", "7.1", "8.1", "9.1") { Say $id "unchecked" "not done here: tools/verify.html or notary verify" "本程序不核验" }
} catch {
    Write-Output ("check.ps1: {0}" -f $_.Exception.Message)
    exit 2
}
if ($script:Failed) { Write-Output "Outcome 核验结论: FAILED 未通过"; exit 1 }
Write-Output "Outcome 核验结论: could not be checked 未能核验 (signatures and times: see above 签名与时间见上)"
exit 2
