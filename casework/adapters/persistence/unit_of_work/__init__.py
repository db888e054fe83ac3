"""One transaction of one actor: what it reads, writes, records and commits."""
