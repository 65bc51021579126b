"""This machine: devices, memory allocator, versions."""
