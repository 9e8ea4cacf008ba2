"""What `make bench` measures: each module holds benchmarks of one subject, `harness` what they share."""
