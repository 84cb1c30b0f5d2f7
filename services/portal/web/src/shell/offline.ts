// Says when the connection is gone, and when it is back.
const banner = document.getElementById("offline-banner");

export function setOffline(offline: boolean): void {
  if (banner) banner.hidden = !offline;
}

window.addEventListener("offline", () => setOffline(true));
window.addEventListener("online", () => setOffline(false));
document.addEventListener("htmx:sendError", () => setOffline(true));
document.addEventListener("htmx:timeout", () => setOffline(true));
document.addEventListener("htmx:afterOnLoad", () => setOffline(!navigator.onLine));
setOffline(!navigator.onLine);
