// Keeps the page up to date: asks the API every 5 seconds while the page is looked at, and writes texts, never markup.
import { element, link, momentOf } from "./elements.js";
import { buttonOf } from "./offers.js";

const EVERY = 5000;
const STALE_AFTER = 15000;
const UNKNOWN = "unknown";
const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
const SIGNS = { ok: "✔", degraded: "▲", critical: "✖", unknown: "?" };

const root = document.querySelector("[data-live-url]");
const age = document.querySelector("[data-live-age]");

function inWords(seconds) {
  if (seconds > 0 && seconds < 1) {
    return `${Math.round(seconds * 1000)}ms`;
  }
  if (seconds < 10 && !Number.isInteger(seconds)) {
    return `${seconds.toFixed(1)}s`;
  }
  let rest = Math.floor(seconds);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count) {
      parts.push(`${count}${unit}`);
    }
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

// As templatetags/monitoring.py writes them.
const written = {
  text: String,
  number: (value) => value.toLocaleString("en-US"),
  seconds: inWords,
  percent: (value) => `${Number((value * 100).toFixed(2))}%`,
  three: (value) => Object.values(value).map(inWords).join(" / "),
};

function isAbsent(value) {
  return value === null || (typeof value === "object" && Object.values(value).includes(null));
}

function absent(facts, place) {
  const { absent: words, knownBy } = place.dataset;
  return words !== undefined && find(facts, knownBy) !== null ? words : UNKNOWN;
}

// "queues.critical.ready": a list is asked for the one of that name.
function find(facts, path) {
  let found = facts;
  for (const part of path.split(".")) {
    if (found === null || found === undefined) {
      return null;
    }
    found = Array.isArray(found) ? found.find((one) => one.name === part) : found[part];
  }
  return found ?? null;
}

function write(place, text) {
  if (place.textContent !== text) {
    place.textContent = text;
  }
}

const plain = (text) => text.replace(/\s+/g, " ").trim();

// Only what reads differently is replaced: a button that somebody is about to press stays.
function renew(place, ...parts) {
  const made = document.createDocumentFragment();
  made.append(...parts);
  if (plain(place.textContent) !== plain(made.textContent)) {
    place.replaceChildren(made);
  }
}

function writeValues(facts) {
  for (const place of document.querySelectorAll("[data-live]")) {
    const value = find(facts, place.dataset.live);
    const format = place.dataset.format ?? "text";
    write(place, isAbsent(value) ? absent(facts, place) : written[format](value));
  }
}

// What tells a problem from others: its words change with each look. views/overview.py does the same.
function keyOf(problem) {
  return [problem.code, problem.queue, problem.entry, problem.target].map((part) => part ?? "").join("|");
}

function writeVerdict(facts) {
  const panel = document.querySelector("[data-live-verdict]");
  const said = facts.verdict?.sentence;
  if (!panel || typeof said !== "string") {
    return;
  }
  const key = [facts.status, ...facts.problems.slice(0, 1).map(keyOf)].join(";");
  const isNew = panel.dataset.liveKey !== key;
  // Only what is new is read aloud, not every other age in the same sentence.
  panel.querySelector("[data-live-announced]").setAttribute("aria-live", isNew ? "polite" : "off");
  panel.dataset.liveKey = key;
  panel.dataset.status = facts.status;
  write(panel.querySelector("[data-live-status]"), `${SIGNS[facts.status] ?? "?"} ${String(facts.status).toUpperCase()}`);
  write(panel.querySelector("[data-live-sentence]"), said);
  const { since, cause, action, target } = facts.verdict;
  renew(
    panel.querySelector("[data-live-detail]"),
    ...(since ? ["Since ", momentOf(since), ". "] : []),
    ...(cause ? [`Likely cause: ${cause}.`] : []),
  );
  renew(panel.querySelector("[data-live-repair]"), ...buttonOf(action, target, facts));
}

function writeQueues(facts) {
  for (const row of document.querySelectorAll("[data-live-queue]")) {
    const queue = facts.queues.find((one) => one.name === row.dataset.liveQueue);
    if (queue) {
      renew(row.querySelector("[data-live-badges]"), ...badgesOf(queue));
      renew(row.querySelector("[data-live-pause]"), ...pauseOf(queue, facts));
    }
  }
}

function badgesOf(queue) {
  const isLate = queue.oldest_age_seconds !== null && queue.oldest_age_seconds > queue.sla_seconds;
  return [
    ...(isLate ? [" ", element("span", "✖ LATE", "bgjobs-badge bgjobs-bad")] : []),
    ...(queue.paused ? [" ", element("span", "‖ PAUSED", "bgjobs-badge bgjobs-warn")] : []),
  ];
}

function pauseOf({ name, paused }, facts) {
  if (paused === null) {
    return [UNKNOWN];
  }
  if (!paused) {
    return buttonOf("pause", name, facts, false);
  }
  return [
    element("strong", "‖ paused", "bgjobs-warn"),
    ` by ${paused.by ?? UNKNOWN}: ${paused.why}, `,
    ...(paused.until ? ["until ", momentOf(paused.until)] : ["until it is resumed"]),
    " ",
    ...buttonOf("resume", name, facts, false),
  ];
}

function writeProblems(facts) {
  const list = document.querySelector("[data-live-problems]");
  const key = facts.problems.map(keyOf).join(";");
  if (!list) {
    return;
  }
  if (list.dataset.liveKey !== key) {
    list.dataset.liveKey = key;
    const items = facts.problems.map((problem) => itemOf(problem, facts));
    list.replaceChildren(...(items.length > 0 ? items : [element("li", "None.")]));
  }
  list.querySelectorAll("[data-live-words]").forEach((words, place) => write(words, wordsOf(facts.problems[place])));
}

function wordsOf(problem) {
  return `${problem.message}${problem.cause ? `: ${problem.cause}` : ""}. ${problem.hint}`;
}

function itemOf(problem, facts) {
  const item = document.createElement("li");
  const words = element("span", wordsOf(problem), "bgjobs-words");
  words.dataset.liveWords = "";
  const isCritical = problem.severity === "critical";
  const severity = `${isCritical ? "✖" : "▲"} ${problem.severity}:`;
  item.append(element("strong", severity, isCritical ? "bgjobs-bad" : "bgjobs-warn"), " ", words);
  for (const button of buttonOf(problem.action, problem.target, facts)) {
    item.append(" ", button);
  }
  const isPage = typeof problem.url === "string" && problem.url.startsWith("/");
  if (isPage && facts.database.reachable !== false) {
    item.append(" ", link("Look", problem.url));
  }
  return item;
}

let tag = null;
let answeredAt = root ? Date.now() : 0;
let isStale = root?.dataset.liveStale === "true";
let timer = null;
let isAsking = false;

async function ask() {
  if (isAsking) {
    return;
  }
  isAsking = true;
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const signal = AbortSignal.timeout(EVERY);
    const answer = await fetch(root.dataset.liveUrl, { headers, signal, cache: "no-store", redirect: "error" });
    if (answer.status === 304) {
      answeredAt = Date.now();
    } else if (answer.ok) {
      const facts = await answer.json();
      tag = answer.headers.get("ETag");
      answeredAt = Date.now();
      isStale = facts.stale === true;
      writeValues(facts);
      writeVerdict(facts);
      writeQueues(facts);
      writeProblems(facts);
    }
  } catch {
    // It says how old it is, and tries again.
  } finally {
    isAsking = false;
    writeAge();
  }
}

function writeAge() {
  const passed = Date.now() - answeredAt;
  const stale = isStale || passed > STALE_AFTER;
  age.toggleAttribute("data-stale", stale);
  const text = `${stale ? "STALE: " : ""}updated ${inWords(Math.floor(passed / 1000))} ago`;
  age.textContent = isStale ? `${text}, from what was known last` : text;
}

function start() {
  if (timer === null) {
    ask();
    timer = setInterval(ask, EVERY);
  }
}

function stop() {
  clearInterval(timer);
  timer = null;
}

if (root && age) {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  setInterval(() => document.hidden || writeAge(), 1000);
  if (!document.hidden) {
    timer = setInterval(ask, EVERY);
  }
}
