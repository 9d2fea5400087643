// The test alert: a button that sends one through every configured channel.

import { element } from "./dom.js";

export function activate(form) {
  const [button, output] = [form.querySelector("button"), form.querySelector("output")];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    output.replaceChildren("Sending …");
    output.replaceChildren(...await send().catch(() => ["Airflow does not respond."]));
    button.disabled = false;
  });
}

async function send() {
  const response = await fetch("api/alert-test", { method: "POST" });
  if (response.status === 403) return ["Your user may not trigger the DAG sparkify_warehouse. Ask a user who may."];
  if (!response.ok) return [`Airflow responded with HTTP ${response.status}. See the log of the API server.`];
  const { channels, help } = await response.json();
  if (help) return [help];
  return channels.map(({ name, error }) => element("span", { class: error ? "failed" : "passed" }, `${name}: ${error || "delivered"}. `));
}
