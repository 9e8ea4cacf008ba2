"""The append-only log: from entries that wait to a signed, published checkpoint.

The order of a close survives a crash anywhere: new tiles into one staging object, durable → sign → one
transaction that swaps the checkpoint, gives the places and ends the waiting → tiles to their names → publish.
"""
