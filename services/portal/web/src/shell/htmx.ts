// htmx with our defaults: same origin only, nothing evaluated, no copy of pages in the browser's storage.
import htmx from "htmx.org";
import { csrfToken } from "./http";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  defaultSwapStyle: "outerHTML",
  timeout: 30_000,
  // Refusals come as fragments that name their own place (HX-Retarget); a 422 is the form again, with its errors.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: true, error: true },
  ],
});

document.addEventListener("htmx:configRequest", (event) => {
  const { headers } = (event as CustomEvent<{ headers: Record<string, string> }>).detail;
  headers["X-CSRF-Token"] = csrfToken();
});
