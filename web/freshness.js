// The line at the foot of a page: how fresh its list is.

/** Tells as of when the list is, and whether the last click is in it. */
export function showFreshness(list) {
  const line = document.getElementById("freshness");
  if (list.not_personal_because === "personalisation_off") {
    line.textContent = "Personal lists are turned off: what you do here is not kept, but what you don’t want to see.";
  } else if (list.degraded) {
    line.textContent = "Part of the shop is away: these lists are the best that can be made without it.";
  } else if (list.after?.status === "applied") {
    line.textContent = `Your last click, at ${new Date(list.as_of).toLocaleTimeString()}, is in this list.`;
  } else if (list.after) {
    line.textContent = "Your last click is on its way into this list.";
  } else {
    line.textContent = `As of ${new Date(list.as_of).toLocaleTimeString()}.`;
  }
}
