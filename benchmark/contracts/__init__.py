"""What a part from outside must hold to, as checks that anyone can run: ``nlbench check``."""
