// Buttons of actions, each leading to its own page. Which of them the visitor may press, the server has said.
import { element } from "./elements.js";

const place = document.querySelector("[data-live-offers]");
const offers = JSON.parse(place?.dataset.liveOffers || "{}");

// As templates/monitoring/offer.html: what is to be appended, nothing for who may not do it. `isNamed`: with the
// target in its label, where it is short; else only those hear it who hear one button after the other.
export function buttonOf(action, target, facts, isNamed = true) {
  const offer = Object.hasOwn(offers, action) ? offers[action] : null;
  if (!offer || !target) {
    return [];
  }
  const label = isNamed && offer.names ? `${offer.label} ${target}` : offer.label;
  if (offer.needs_broker && facts.broker.reachable === false) {
    const off = element("span", `${label} `, "bgjobs-button bgjobs-off");
    off.append(element("span", "(not now: the broker does not answer)", "bgjobs-why"));
    return [off];
  }
  const address = new URL(offer.address, window.location.origin);
  address.searchParams.set(offer.takes, target);
  const made = element("a", label, "bgjobs-button");
  made.href = address.href;
  if (label === offer.label) {
    made.append(element("span", ` ${target}`, "visually-hidden"));
  }
  return [made];
}
