"""Speed, memory and quality beside a baseline or peer in the same run."""
