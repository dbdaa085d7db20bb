"""What exists for PyTorch's past alone; each part loads when a program asks for it."""
