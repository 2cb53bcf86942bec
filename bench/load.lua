-- What wrk sends and counts. BENCH_BODIES: a file with one JSON body a line, in which __UNIQUE__ stands for eight digits.
-- BENCH_HEADERS: lines of "name: value". BENCH_FIRST: where those digits begin. BENCH_ERRORS: "yes" where errors are right.
-- BENCH_RESULT: the file for what was counted, as JSON.
local bodies, requests, unique = {}, {}, false
for line in io.lines(os.getenv("BENCH_BODIES")) do
  bodies[#bodies + 1] = line
  unique = unique or line:find("__UNIQUE__", 1, true) ~= nil
end
local headers = { ["Content-Type"] = "application/json" }
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^:\n]+): ([^\n]*)") do headers[name] = value end
local errors_are_right = os.getenv("BENCH_ERRORS") == "yes"
local number, threads = tonumber(os.getenv("BENCH_FIRST")), {}
wrong, bytes, example = 0, 0, ""

function setup(thread) threads[#threads + 1] = thread end

function init()
  if not unique then
    for index, body in ipairs(bodies) do requests[index] = wrk.format("POST", wrk.path, headers, body) end
  end
end

function request()
  number = number + 1
  local index = number % #bodies + 1
  if unique then
    return wrk.format("POST", wrk.path, headers, (bodies[index]:gsub("__UNIQUE__", string.format("%08d", number % 100000000))))
  end
  return requests[index]
end

-- A refusal of a mutation is no error of GraphQL; its list would not be empty.
function response(status, _, body)
  bytes = bytes + #body
  local errors = body:find('"errors":', 1, true) ~= nil
  if status ~= 200 or errors ~= errors_are_right or body:find('"userErrors":[{', 1, true) then
    wrong = wrong + 1
    if example == "" then example = status .. " " .. body:sub(1, 300) end
  end
end

function done(summary, latency)
  local all_wrong, all_bytes, an_example = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_wrong = all_wrong + thread:get("wrong")
    all_bytes = all_bytes + thread:get("bytes")
    if an_example == "" then an_example = thread:get("example") end
  end
  local failed = summary.errors
  local file = io.open(os.getenv("BENCH_RESULT"), "w")
  file:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"wrong":%d,"bytes":%d,"example":"%s"}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    all_wrong + failed.connect + failed.read + failed.write + failed.timeout, all_bytes,
    (an_example:gsub('[%c"\\]', "'"))))
  file:close()
end
