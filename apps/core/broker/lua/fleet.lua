-- Who lives, what each holds, and who waits for each queue.
-- ARGV  1 prefix   2... queues
-- Returns {owners, waiting}: of each owner {its name, 1 where it lives, queue, its leases of it, queue, leases of it, ...};
--       of each queue {its scout or '', the living owners who wait for it...}
-- Invariant: nothing is changed. The work grows with the owners and their leases, never with what waits.
local owners, waiting = {}, {}
for _, owner in ipairs(redis.call('SMEMBERS', OWNERS)) do
  local counts = {}
  for _, entry in ipairs(redis.call('HVALS', leases_key(owner))) do
    local list = split(entry)
    local queue = string.match(list, '^(.*)\6\22%d+$') or list
    counts[queue] = (counts[queue] or 0) + 1
  end
  local told = {owner, is_alive(owner) and 1 or 0}
  for queue, count in pairs(counts) do
    told[#told + 1] = queue
    told[#told + 1] = count
  end
  owners[#owners + 1] = told
end
for i = 2, #ARGV do
  local told = {redis.call('GET', scout_key(ARGV[i])) or ''}
  for _, owner in ipairs(redis.call('SMEMBERS', idle_key(ARGV[i]))) do
    if is_alive(owner) then told[#told + 1] = owner end
  end
  waiting[#waiting + 1] = told
end
return {owners, waiting}
