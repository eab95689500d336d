-- Messages have no rows in the outbox any more.
-- ARGV  1 prefix   2 seconds for which an enqueuer who was held up still finds that they were published   3... their tags
-- Invariant: no moment lies between the two memories.
for i = 3, #ARGV do
  redis.call('SET', published_key(ARGV[i]), '', 'EX', ARGV[2])
  redis.call('SREM', OUTBOX, ARGV[i])
end
