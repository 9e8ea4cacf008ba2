"""What the service knows, in a database and in immutable objects.

Rows never leave this package: queries take a connection and give evidence types or frozen dataclasses. They
do not commit; whoever opened the transaction decides what becomes durable together.
"""
