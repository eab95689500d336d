-- An owner stops serving a queue.
-- ARGV  1 prefix   2 owner   3 queue
-- Invariant: a queue that has idle owners has one of them for its scout, or none until a second has passed.
stop_waiting(ARGV[2], ARGV[3])
