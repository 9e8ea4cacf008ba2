"""What a proof says and how it is checked: pure functions over values.

Rule of membership: a thing belongs here if changing it could make an old proof verify differently; then the
change is a new version of the format (docs/formats.md).
"""
