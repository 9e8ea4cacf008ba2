"""The report on one record: facts -> sentences -> PDF -> seal. Nothing here judges; it prints a check result."""
