// Creates elements without HTML strings, so that data is always text, never markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") made.style.cssText = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

// A link to a page of Airflow. The frame of this page is not allowed to navigate its parent or to open a window; the parent,
// which has the same origin, is.
export function airflowLink(path, attributes, ...children) {
  const link = element("a", { ...attributes, href: new URL(`../${path}`, document.baseURI).pathname }, ...children);
  if (window.parent !== window) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const outside = window.parent.document.createElement("a");
      outside.href = link.href;
      if (link.target || event.ctrlKey || event.metaKey) outside.target = "_blank";
      outside.click();
    });
  }
  return link;
}

// Text with `code`, as Markdown writes it.
export const inline = (text) => text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));

export const runPath = (dag, run) => `dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}`;
export const taskPath = ({ dag_id: dag, run_id: run, task_id: task, map_index: index }) =>
  `${runPath(dag, run)}${task ? `/tasks/${encodeURIComponent(task)}${index < 0 ? "" : `/mapped/${index}`}` : ""}`;
