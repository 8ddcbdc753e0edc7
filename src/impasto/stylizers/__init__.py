"""What repaints pictures: one contract, and three ways to fulfil it."""
