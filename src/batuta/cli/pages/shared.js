const SHAPES = { SCHEDULED: "○", RUNNING: "●", IN_PROGRESS: "●", COMPLETED: "✓", COMPLETED_WITH_ERRORS: "✓", FAILED: "✗",
  FAILED_WITH_TERMINAL_ERROR: "✗", TIMED_OUT: "⧖", TERMINATED: "■", CANCELED: "■", PAUSED: "‖", SKIPPED: "→" };
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
function chip(status) {
  return make("span", { class: "status " + status, "data-shape": SHAPES[status] || "?" }, status.toLowerCase().replaceAll("_", " "));
}
function lasting(ms) {
  if (!(ms >= 0)) return "";
  if (ms < 1000) return Math.round(ms) + "ms";
  const s = ms / 1000;
  if (s < 10) return s.toFixed(2) + "s";
  if (s < 60) return Math.round(s) + "s";
  if (s < 3600) return Math.floor(s / 60) + "m " + String(Math.floor(s % 60)).padStart(2, "0") + "s";
  return Math.floor(s / 3600) + "h " + String(Math.floor(s / 60) % 60).padStart(2, "0") + "m";
}
function instant(ms) { return ms ? new Date(ms).toLocaleString() : ""; }
async function read(path) {
  const answer = await fetch(path);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message || answer.statusText);
  return body;
}
function say(text) { document.getElementById("state").textContent = text; }
