"""The HTTP API and the public pages. Routes are thin: parse, call a step, answer."""
