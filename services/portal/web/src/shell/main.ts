// Runs on every page.
import "./htmx";
import "./confirm";
import "./copy";
import "./forms";
import "./navigation";
import "./offline";
import "./step-up";
import "./unsaved";
import { watchToasts } from "./toasts";

document.documentElement.classList.add("js");
watchToasts();

// For scripts of a page that are not bundled with the shell, and for the journeys.
export { callJson } from "./http";
export { toast } from "./toasts";
