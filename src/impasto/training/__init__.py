"""How the shipped networks came to be, and how users train their own."""
