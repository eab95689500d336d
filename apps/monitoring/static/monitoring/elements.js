// What scripts make: elements with texts in them, never markup.
const own = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) {
    made.className = className;
  }
  return made;
}

export function link(text, address) {
  const made = element("a", text);
  made.href = address;
  return made;
}

// The reader's own time as the title of a <time>, which shows UTC.
export function addOwnTime(time) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.getTime())) {
    time.title = own.format(moment);
  }
}

// "2026-11-23T11:20:00Z", as templatetags/monitoring.py writes it.
export function momentOf(instant) {
  const made = element("time", instant.replace("T", " ").replace("Z", " UTC"));
  made.dateTime = instant;
  addOwnTime(made);
  return made;
}
