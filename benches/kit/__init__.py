"""What benches/compare consists of: the programs, what they are asked, and the figures."""
