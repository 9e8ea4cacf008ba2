"""What only the embedded profile needs: stand-ins for the outside world, on this machine."""
