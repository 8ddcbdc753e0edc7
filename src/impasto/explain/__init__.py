"""Pictures about pictures: loss curves, strips and sheets, animations."""
