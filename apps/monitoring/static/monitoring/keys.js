// Keys: / to the search, g and a letter to a page, ? for the list of them. The letters stand in the navigation.
const PATIENCE = 1500; // milliseconds between g and its letter

const places = [...document.querySelectorAll(".bgjobs-places a[data-key]")].map((link) => ({
  key: link.dataset.key,
  title: link.textContent.trim(),
  address: link.href,
}));
if (places.length > 0) {
  places.splice(1, 0, { key: "q", title: "Queues", address: `${places[0].address}#queues-title` }); // of the overview
}
const button = document.querySelector("[data-shortcuts]");
let waitsUntil = 0;

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function line(keys, words) {
  const item = document.createElement("p");
  for (const key of keys) {
    item.append(element("kbd", key), " ");
  }
  item.append(words);
  return item;
}

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "bgjobs-shortcuts";
  const title = element("h2", "Shortcuts");
  title.id = "bgjobs-shortcuts-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const close = element("button", "Close");
  close.type = "button";
  close.className = "bgjobs-button";
  close.addEventListener("click", () => dialog.close());
  dialog.append(
    title,
    line(["/"], "to the search"),
    ...places.map((place) => line(["g", place.key], place.title)),
    line(["?"], "this list"),
    line(["Esc"], "closes it"),
    close,
  );
  document.body.append(dialog);
  return dialog;
}

let dialog = null;

function showList() {
  dialog ??= makeDialog();
  if (!dialog.open) {
    dialog.showModal();
  }
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialog?.open) {
    return;
  }
  if (waitsUntil > Date.now()) {
    waitsUntil = 0;
    const place = places.find((one) => one.key === event.key);
    if (place) {
      event.preventDefault();
      window.location.assign(place.address);
      return;
    }
  }
  if (event.key === "g") {
    waitsUntil = Date.now() + PATIENCE;
  } else if (event.key === "?") {
    event.preventDefault();
    showList();
  } else if (event.key === "/") {
    const search = document.querySelector("#content input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  }
}

document.addEventListener("keydown", press);
if (button) {
  button.hidden = false;
  button.addEventListener("click", showList);
}
