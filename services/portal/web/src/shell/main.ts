// Runs on every page.
import "./htmx";
import "./confirm";
import "./forms";
import "./navigation";
import "./offline";
import "./step-up";
import { watchToasts } from "./toasts";

document.documentElement.classList.add("js");
watchToasts();
