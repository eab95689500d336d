// Adds to each <time>, which shows UTC, the reader's own time as its title.
import { addOwnTime } from "./elements.js";

document.querySelectorAll("time[datetime]").forEach(addOwnTime);
