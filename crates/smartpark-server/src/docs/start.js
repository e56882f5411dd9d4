// Starts Swagger UI on this server's own description. No validator: nothing leaves the server.
// It is safe to click: a request that changes something is asked for before it is sent, and the
// examples in it are dated now.

/** Whatever an example of the description calls the time: a car of last winter never leaves. */
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;

/** The description, with the bodies of requests dated now. */
function datedNow(description) {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  for (const operations of Object.values(description.paths)) {
    for (const operation of Object.values(operations)) {
      if (!operation.requestBody) continue;
      const body = JSON.stringify(operation.requestBody).replace(INSTANT, now);
      operation.requestBody = JSON.parse(body);
    }
  }
  return description;
}

/** Asks before a request that changes something: a click that is taken back never reaches
 *  Swagger UI. */
function askFirst(click) {
  const block = click.target.closest(".execute")?.closest(".opblock");
  if (!block || block.classList.contains("opblock-get")) return;
  const method = block.querySelector(".opblock-summary-method")?.textContent ?? "";
  const path = block.querySelector(".opblock-summary-path")?.dataset.path ?? "";
  const question = `${method} ${path} changes the data of this server. Send it?`;
  if (!window.confirm(question)) click.stopPropagation();
}

async function start() {
  document.addEventListener("click", askFirst, { capture: true });
  const answer = await fetch("openapi.json");
  SwaggerUIBundle({
    spec: datedNow(await answer.json()),
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

start();
