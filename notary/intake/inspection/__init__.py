"""What the signatures in a PDF say, read in a process that can do nothing else (docs/formats.md).

`sandbox.inspect` is the way in. The report it returns is data: whatever a hostile file does, it is a report.
"""
