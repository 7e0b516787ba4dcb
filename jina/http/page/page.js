// The documentation page: shows the Flow that flow.json describes, and tries its endpoints.
import { documents, picture, problem, problems } from "./answers.js";
import { $, h, plural, rows } from "./dom.js";
import { FILE, TOOLS } from "./elsewhere.js";
import { graph } from "./graph.js";

const base = new URL(".", location.href); // where the front is, also behind a proxy
const link = (path) => `#${encodeURI(path)}`;
let flow; // what flow.json says
let chosen; // the endpoint whose form is shown
let files = [];
let running; // aborts the request

// ---- The Flow

function send(url, options = {}) {
  const key = sessionStorage.getItem("jina.key");
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  return fetch(new URL(url, base), { ...options, headers });
}

function askKey(then) {
  const had = sessionStorage.getItem("jina.key");
  $("whykey").textContent = had ? "This key is not accepted." : "This Flow asks for a key.";
  $("keys").hidden = false;
  $("key").focus();
  $("keys").onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("jina.key", $("key").value.trim());
    $("keys").hidden = true;
    then();
  };
}

async function load() {
  try {
    // A 401 would be an error in the console, though nothing is wrong.
    if (!sessionStorage.getItem("jina.key") && (await (await send("docs/key.json")).json()).needed) return askKey(load);
    const response = await send("flow.json");
    if (response.status === 401) return askKey(load);
    const found = await response.json();
    if (!response.ok) throw new Error(found.error?.message ?? response.statusText);
    flow = found;
  } catch (error) {
    $("notice").textContent = `The Flow cannot be read: ${error.message}. Trying again every two seconds.`;
    return setTimeout(load, 2000);
  }
  show();
  if (flow.endpoints.length) return;
  $("notice").textContent = "No Executor is ready yet. Looking again every two seconds.";
  setTimeout(load, 2000);
}

function show() {
  document.title = $("title").textContent = flow.http.title;
  $("version").textContent = `Flow ${flow.flow}, jina ${flow.http.version}`;
  $("description").textContent = flow.http.description;
  $("notice").textContent = "";
  $("main").hidden = false;
  $("graph").replaceChildren(graph(flow.nodes));
  $("nodes").replaceChildren(...flow.nodes.map(card));
  $("endpoints").replaceChildren(...flow.endpoints.map(({ path, summary }) =>
    h("li", {}, h("a", { href: link(path) }, path, h("span", { className: "soft" }, summary)))));
  choose();
}

function card(node) {
  const title = [node.name, node.executor].includes(node.title) ? "" : node.title;
  return h("article", { className: "card", id: `node-${node.name}`, tabIndex: -1 },
    h("h3", {}, node.name),
    h("p", { className: "soft" }, [title, node.executor].filter(Boolean).join(", ")),
    node.description && h("p", { className: "doc" }, node.description),
    node.endpoints.map(({ path, method, doc, parameters }) => [
      h("h4", {}, h("a", { href: link(path) }, path), " ", h("span", { className: "soft" }, method)),
      doc && h("p", { className: "doc" }, doc),
      rows(parameters.map((each) => [each.name, each.type ?? "any", each.is_required ? "required" : initial(each)])),
    ]));
}

const initial = (parameter) => ("default" in parameter ? JSON.stringify(parameter.default) : "");

function choose() {
  if (location.hash.startsWith("#node-")) $(location.hash.slice(1))?.focus();
  const found = flow.endpoints.find((each) => link(each.path) === location.hash) ?? chosen ?? flow.endpoints[0];
  $("try").hidden = !found;
  if (!found || found === chosen) return;
  chosen = found;
  for (const each of $("endpoints").querySelectorAll("a")) each.ariaCurrent = each.hash === link(found.path) || null;
  for (const each of $("graph").querySelectorAll("a")) {
    each.classList.toggle("on", found.nodes.includes(each.dataset.node));
  }
  $("chosen").textContent = found.url ? `${found.method} ${found.url}` : `POST /post for ${found.path}`;
  $("passes").textContent = `Served by ${found.nodes.join(", ")}.`;
  $("docs").replaceChildren(...flow.nodes.flatMap((node) => node.endpoints
    .filter((each) => each.path === found.path && each.doc)
    .map((each) => h("p", { className: "doc" }, h("b", {}, node.name), `: ${each.doc}`))));
  $("parameters").replaceChildren($("parameters").firstElementChild, ...found.parameters.map(field),
    h("label", {}, "Others, as JSON", h("input", { id: "others", placeholder: "{}" })));
  $("answer").hidden = true;
  $("state").textContent = "";
  write();
}

// ---- Parameters

// What may be typed in: by the type, or else by the default. Several types are a text that may be JSON.
function kind(parameter) {
  const byDefault = { number: "float", boolean: "bool", string: "str" }[typeof parameter.default];
  const type = (parameter.type || byDefault || "").replace(/^Optional\[(.*)\]$|\s*\|\s*None$/, "$1");
  return ["int", "float", "bool", "str"].includes(type) ? type : "any";
}

function field(parameter) {
  const is = kind(parameter);
  const { name, is_required: required = false } = parameter;
  const value = initial(parameter);
  const placeholder = is === "str" && value ? parameter.default : value;
  const number = { type: "number", step: is === "int" ? 1 : "any" };
  const option = (each) => h("option", { value: each }, each || (value ? `default: ${value}` : "not set"));
  const input = is === "bool"
    ? h("select", { name, required }, ["", "true", "false"].map(option))
    : h("input", { name, required, placeholder, ...(is === "int" || is === "float" ? number : {}) });
  const said = `${parameter.type ?? is}${required ? ", required" : ""}`;
  return h("label", {}, name, h("span", { className: "soft" }, ` ${said}`), input);
}

function parameters() {
  const others = $("others").value.trim() ? parsed($("others").value, "Others") : {};
  if (Object.prototype.toString.call(others) !== "[object Object]") {
    throw new Error('Others: write an object, such as {"key": 1}');
  }
  const found = { ...others };
  for (const each of chosen.parameters) {
    const { value, validity } = $("parameters").querySelector(`[name="${CSS.escape(each.name)}"]`);
    const is = kind(each);
    if (validity.badInput || validity.stepMismatch) throw new Error(`${each.name}: write a number of type ${is}`);
    if (value) found[each.name] = is === "str" ? value : is === "bool" ? value === "true" : loosely(value);
  }
  return found;
}

function loosely(text) {
  try {
    return JSON.parse(text);
  } catch {
    return isNaN(text) ? text : Number(text);
  }
}

function parsed(text, where) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${where}: ${error.message}`);
  }
}

// ---- Documents, from the form

function texts() {
  const text = $("text").value;
  return $("split").checked ? text.split("\n").filter((line) => line.trim()) : [text];
}

// A list, an object, or lines: then the first line is JSON by itself.
function objects() {
  const lines = $("json").value.split("\n");
  const isLines = lines.filter((line) => line.trim()).length > 1 && typeof loosely(lines[0]) === "object";
  if (!isLines) return [parsed($("json").value, "JSON")].flat();
  return lines.flatMap((line, at) => (line.trim() ? [parsed(line, `JSON, line ${at + 1}`)] : []));
}

function fromFile({ name, type, base64 }) {
  if ($("field").value === "uri") return { uri: `data:${type};base64,${base64}`, mime_type: type };
  return { uri: name, mime_type: type, buffer: base64 };
}

// The request's body; one to be shown has a mark in place of the first file's content.
function body(isShown) {
  const given = parameters();
  if (picked("input") === "File" && !files.length) throw new Error("Choose a file first.");
  const read = {
    Text: () => texts().map((text) => ({ text })),
    JSON: objects,
    File: () => (isShown ? [{ ...files[0], base64: FILE }] : files).map(fromFile),
  };
  return {
    ...(chosen.url ? {} : { execEndpoint: chosen.path }),
    data: read[picked("input")](),
    ...(Object.keys(given).length ? { parameters: given } : {}),
  };
}

const base64Of = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.replace(/^.*?,/, ""));
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

async function take(list) {
  const [first] = list;
  if (!first) return;
  const isJson = /\.(jsonl?|ndjson)$/.test(first.name);
  if (list.length === 1 && (isJson || first.type === "text/plain")) {
    $(isJson ? "json" : "text").value = await first.text();
    pick("input", isJson ? "JSON" : "Text");
  } else {
    files = await Promise.all(Array.from(list, async (file) => {
      const type = file.type || "application/octet-stream";
      return { name: file.name, type, size: file.size, base64: await base64Of(file) };
    }));
    $("files").replaceChildren(...files.map(({ name, type, size, base64 }) => h("figure", {},
      picture(`data:${type};base64,${base64}`, name),
      h("figcaption", { className: "soft" }, `${name}, ${plural(size, "byte")}`))));
    pick("input", "File");
  }
  write();
}

// ---- Running it

async function run() {
  if (running) return;
  const start = performance.now();
  const took = () => `${Math.round(performance.now() - start).toLocaleString("en")} ms`;
  try {
    const sent = JSON.stringify(body());
    running = new AbortController();
    busy("Running…");
    const headers = { "Content-Type": "application/json" };
    const options = { method: chosen.method, headers, body: sent, signal: running.signal };
    const response = await send(address(), options);
    const text = await response.text();
    $("state").textContent = `${response.status} ${response.statusText}, ${took()}`;
    if (response.status === 401) askKey(run);
    answered(response, text);
  } catch (error) {
    const isStopped = error.name === "AbortError";
    $("state").textContent = isStopped ? `Stopped after ${took()}` : "";
    if (!isStopped) answer([problem(running ? `The server did not answer: ${error.message}` : error.message)], "");
  }
  running = undefined;
  busy();
}

function busy(state) {
  $("run").disabled = Boolean(state);
  $("stop").disabled = !state;
  if (state) $("state").textContent = state;
  else if (document.activeElement === document.body) $("run").focus(); // a disabled button loses it
}

function answered(response, text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    // It is shown as it is.
  }
  const docs = found?.data?.docs ?? found?.data ?? [];
  const failed = response.headers.get("X-Jina-Failed");
  if (response.ok) $("state").textContent += `, ${plural(docs.length, "Document")}`;
  if (failed) $("state").textContent += `, ${failed} failed`;
  const raw = found === undefined ? text : JSON.stringify(found, null, 2);
  answer([problems(response, found, text), documents(docs)].flat(), raw);
}

function answer(parts, raw) {
  $("answer").hidden = false;
  $("as-documents").replaceChildren(...parts);
  $("as-raw").textContent = raw;
}

const address = () => new URL((chosen.url || "/post").slice(1).split("/").map(encodeURIComponent).join("/"), base);

// ---- What follows the form: which parts are shown, and the lines to copy

function write() {
  for (const name of ["text", "json", "file"]) $(`by-${name}`).hidden = picked("input").toLowerCase() !== name;
  $("as-documents").hidden = picked("view") !== "Readable";
  $("as-raw").hidden = picked("view") === "Readable";
  if (!chosen) return;
  try {
    $("code").textContent = TOOLS[picked("tool")]({
      url: address().href,
      method: chosen.method,
      needsKey: flow.http.needs_key,
      flow: flow.flow,
      endpoint: chosen.path,
      body: body(true),
      file: picked("input") === "File" ? files[0].name : "",
    });
  } catch (error) {
    $("code").textContent = error.message;
  }
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("code").textContent);
  } catch {
    // Only pages that are secure, or from this machine, have a clipboard.
    getSelection().selectAllChildren($("code"));
    document.execCommand("copy");
  }
  $("copy").textContent = "Copied";
  setTimeout(() => ($("copy").textContent = "Copy"), 1500);
}

// Tabs are radio buttons: arrow keys and screen readers know them.
function tabs(id, names) {
  const tab = (value, at) => h("input", { type: "radio", name: id, value, checked: !at, onchange: write });
  $(id).append(...names.map((name, at) => h("label", {}, tab(name, at), h("span", {}, name))));
}
const picked = (id) => $(id).querySelector(":checked").value;
const pick = (id, value) => ($(id).querySelector(`[value="${value}"]`).checked = true);

const theme = document.documentElement.dataset;
theme.theme = localStorage.getItem("jina.theme") ?? ""; // "": as the system has it
$("theme").onclick = () => {
  const isDark = theme.theme ? theme.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("jina.theme", (theme.theme = isDark ? "light" : "dark"));
};

tabs("input", ["Text", "JSON", "File"]);
tabs("view", ["Readable", "Raw JSON"]);
tabs("tool", Object.keys(TOOLS));
$("form").oninput = write;
$("form").onsubmit = (event) => {
  event.preventDefault();
  run();
};
$("try").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
};
$("stop").onclick = () => running?.abort();
$("copy").onclick = copy;
$("file").onchange = (event) => take(event.target.files);
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.add("over");
};
document.ondragleave = () => document.body.classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  $("file").files = event.dataTransfer.files; // so that it shows their names
  take($("file").files);
};
window.onhashchange = choose;
load();
