-- Notes jobs that must not start any more, wherever they wait.
-- ARGV  1 prefix   2 seconds for which a revocation is kept   3... job ids
-- Returns the moment of the revocation, by which workers learn of it with their next claim.
-- Invariant: a claim that follows this in time names this moment or a later one.
local now = clock()
redis.call('ZREMRANGEBYSCORE', REVOKED, '-inf', exact(now - tonumber(ARGV[2])))
for i = 3, #ARGV do redis.call('ZADD', REVOKED, exact(now), ARGV[i]) end
return exact(now)
