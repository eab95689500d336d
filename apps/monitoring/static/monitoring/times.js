// Adds to each <time>, which shows UTC, the reader's own time as its title.
const own = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.getTime())) {
    time.title = own.format(moment);
  }
}
