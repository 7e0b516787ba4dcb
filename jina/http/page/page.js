// The documentation page: draws the Flow that flow.json describes, and tries its endpoints.
// What a Flow or an Executor says becomes text nodes and attributes, never markup.
"use strict";

const $ = (id) => document.getElementById(id);
const base = new URL(".", location.href); // where the front is, also behind a proxy
const FILE = "\uE000"; // the content of a file, in a body that is shown
const SVG = "http://www.w3.org/2000/svg";
let flow, chosen, files = [], running;

function h(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const link = (path) => "#" + encodeURI(path);

// ---- The key, and what is read with it

function send(url, options = {}) {
  const key = sessionStorage.getItem("jina.key");
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  return fetch(new URL(url, base), { ...options, headers, cache: "no-store" });
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
    const response = await send("flow.json");
    if (response.status === 401) return askKey(load);
    const found = await response.json();
    if (!response.ok) throw new Error(found.error?.message ?? response.statusText);
    flow = found;
  } catch (error) {
    $("notice").textContent = `The Flow cannot be read: ${error.message}. Reload the page to try again.`;
    return;
  }
  show();
  if (flow.endpoints.length) return;
  $("notice").textContent = "No Executor is ready yet. This page looks again every two seconds.";
  setTimeout(load, 2000);
}

function show() {
  const { http } = flow;
  document.title = $("title").textContent = http.title;
  $("version").textContent = `Flow ${flow.flow}, jina ${http.version}`;
  $("description").textContent = http.description;
  $("notice").textContent = "";
  $("main").hidden = false;
  $("graph").replaceChildren(graph());
  $("endpoints").replaceChildren(...flow.endpoints.map((served) =>
    h("li", {}, h("a", { href: link(served.path) }, served.path, h("span", { className: "soft" }, served.summary)))));
  $("nodes").replaceChildren(...flow.nodes.map(card));
  choose();
}

// ---- The graph: columns from left to right, by the longest way from where requests enter

const [WIDTH, HEIGHT, GAP, LINE] = [150, 62, 60, 88]; // of a box, between columns, of a row

function graph() {
  const nodes = flow.nodes;
  const needed = new Set(nodes.filter((node) => !node.is_floating).flatMap((node) => node.needs));
  const ends = nodes.filter((node) => !node.is_floating && !needed.has(node.name)).map((node) => node.name);
  const request = { name: "gateway", needs: [], end: "request" };
  const last = { name: "", needs: ends.length ? ends : ["gateway"], end: "answer" };
  const all = [request, ...nodes, last];
  const depth = {};
  for (let round = 0; round < all.length; round++) {
    for (const node of all) depth[node.name] = Math.max(-1, ...node.needs.map((name) => depth[name] ?? 0)) + 1;
  }
  // An edge that passes other columns has a place of its own in each.
  const slots = [...all];
  const edges = all.flatMap((node) => node.needs.map((name) => {
    const way = [name];
    for (let at = depth[name] + 1; at < depth[node.name]; at++) {
      const slot = { name: `${name} ${node.name} ${at}`, needs: [way.at(-1)], isBend: true };
      depth[slot.name] = at;
      slots.push(slot);
      way.push(slot.name);
    }
    return { way: [...way, node.name], floating: node.is_floating };
  }));
  const columns = Object.values(Object.groupBy(slots, (slot) => depth[slot.name]));
  const rows = Math.max(...columns.map((column) => column.length));
  const place = {};
  columns.forEach((column, at) => {
    const mean = (slot) => slot.needs.reduce((sum, name) => sum + place[name][1], 0) / slot.needs.length || 0;
    column.sort((one, other) => mean(one) - mean(other)).forEach((slot, row) => {
      place[slot.name] = [at * (WIDTH + GAP), (row + (rows - column.length) / 2 + 0.5) * LINE, slot.isBend];
    });
  });
  const size = [columns.length * (WIDTH + GAP) - GAP + 8, rows * LINE];
  const svg = draw("svg", {
    width: size[0], height: size[1], viewBox: `-2 0 ${size.join(" ")}`, role: "group",
    "aria-label": nodes.map((node) => `${node.name} after ${node.needs.join(" and ")}`).join("; "),
  });
  for (const { way, floating } of edges) {
    const d = way.map((name, at) => {
      const [x, y, isBend] = place[name];
      if (!at) return `M${x + WIDTH} ${y}`;
      const [fromX, fromY] = [x - GAP, place[way[at - 1]][1]];
      return `C${fromX + GAP / 2} ${fromY} ${x - GAP / 2} ${y} ${x} ${y}${isBend ? `h${WIDTH}` : ""}`;
    });
    svg.append(draw("path", { class: floating ? "edge floating" : "edge", d: d.join("") }));
  }
  svg.append(...all.map((node) => box(node, ...place[node.name])));
  return svg;
}

function box(node, x, y) {
  const text = (words, at, name = "") =>
    draw("text", { x: x + WIDTH / 2, y: y + at, class: name }, words.length > 19 ? words.slice(0, 18) + "…" : words);
  const rect = (shift, round = 8) =>
    draw("rect", { x: x + shift, y: y - HEIGHT / 2 - shift, width: WIDTH, height: HEIGHT, rx: round });
  if (node.end) return draw("g", {}, rect(0, HEIGHT / 2), text(node.end, 5));
  const notes = [
    node.replicas > 1 && plural(node.replicas, "replica"),
    node.shards > 1 && plural(node.shards, "shard"),
    node.is_floating && "floating",
  ];
  const note = notes.filter(Boolean).join(", ");
  return draw("a", { href: `#node-${node.name}`, class: node.is_floating ? "floating" : "", "data-node": node.name },
    ...(node.replicas * node.shards > 1 ? [rect(6), rect(3)] : []), rect(0),
    text(node.name, note ? -9 : -3), text(node.executor, note ? 8 : 15, "small"), text(note, 24, "small"));
}

// ---- Executors and endpoints

function card(node) {
  const title = node.title && node.title !== node.name ? `${node.title}, ${node.executor}` : node.executor;
  return h("article", { className: "card", id: `node-${node.name}`, tabIndex: -1 },
    h("h3", {}, node.name), h("p", { className: "soft" }, title),
    node.description && h("p", { className: "doc" }, node.description),
    node.endpoints.map((endpoint) => [
      h("h4", {}, h("a", { href: link(endpoint.path) }, endpoint.path), endpoint.method && h("span", { className: "soft" }, ` ${endpoint.method}`)),
      endpoint.doc && h("p", { className: "doc" }, endpoint.doc), table(endpoint.parameters)]));
}

function table(parameters) {
  if (!parameters.length) return null;
  return h("table", {}, parameters.map((each) => h("tr", {}, h("th", { scope: "row" }, each.name),
    h("td", {}, each.type || "any"),
    h("td", {}, each.is_required ? "required" : "default" in each ? JSON.stringify(each.default) : ""))));
}

function choose() {
  const path = decodeURI(location.hash.slice(1));
  if (path.startsWith("node-")) $(path)?.focus();
  const found = flow.endpoints.find((served) => served.path === path) ?? chosen ?? flow.endpoints[0];
  $("try").hidden = !found;
  if (!found || found === chosen) return;
  chosen = found;
  for (const each of $("endpoints").querySelectorAll("a")) {
    if (each.hash === link(found.path)) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  for (const each of document.querySelectorAll("[data-node]")) each.classList.toggle("on", found.nodes.includes(each.dataset.node));
  $("chosen").textContent = `POST ${address().pathname}`;
  $("passes").textContent = `Served by ${found.nodes.join(", ")}.`;
  $("docs").replaceChildren(...flow.nodes.flatMap((node) => node.endpoints
    .filter((each) => each.path === found.path && each.doc)
    .map((each) => h("p", { className: "doc" }, each.doc))));
  $("parameters").replaceChildren($("parameters").firstElementChild, ...found.parameters.map(field),
    h("label", {}, "Others, as JSON ", h("input", { id: "others", className: "code", placeholder: "{}" })));
  $("answer").hidden = true;
  $("state").textContent = "";
  write();
}

const address = () => new URL((chosen.url || "/post").slice(1).split("/").map(encodeURIComponent).join("/"), base);

// A parameter's kind, by its type or else by its default.
function kind(parameter) {
  const type = parameter.type || { number: "float", boolean: "bool", string: "str" }[typeof parameter.default] || "";
  return /^(int|float|bool|str)\b(?!.*[[])/.exec(type.replace(/^Optional\[(\w+)\]/, "$1"))?.[1] ?? "any";
}

function field(parameter) {
  const is = kind(parameter);
  const value = "default" in parameter ? JSON.stringify(parameter.default) : "";
  const properties = { name: parameter.name, required: Boolean(parameter.is_required) };
  const input = is === "bool"
    ? h("select", properties, ["", "true", "false"].map((each) => h("option", { value: each }, each || (value ? `default: ${value}` : "not set"))))
    : h("input", { ...properties, placeholder: is === "str" && value ? parameter.default : value,
      ...(is === "int" || is === "float" ? { type: "number", step: is === "int" ? "1" : "any" } : {}) });
  return h("label", {}, parameter.name, h("span", { className: "type" }, ` ${parameter.type || is}${parameter.is_required ? ", required" : ""}`), input);
}

// ---- From the form to a request

function parameters() {
  const found = {};
  const others = $("others").value.trim();
  if (others) {
    const read = parse(others, "Others");
    if (!read || typeof read !== "object" || Array.isArray(read)) throw new Error("Others: write an object, such as {\"key\": 1}");
    Object.assign(found, read);
  }
  for (const each of chosen.parameters) {
    const input = $("form").elements.namedItem(each.name);
    const is = kind(each);
    if (input.validity.badInput || input.validity.stepMismatch) throw new Error(`${each.name}: write a number of type ${is}`);
    if (input.value === "") continue;
    found[each.name] = is === "str" ? input.value : is === "any" ? loose(input.value) : JSON.parse(is === "bool" ? input.value : String(Number(input.value)));
  }
  return found;
}

function loose(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parse(text, where) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${where}: ${error.message}`);
  }
}

function documents(shown) {
  const by = picked("input");
  if (by === "Text") {
    const texts = $("split").checked ? $("text").value.split("\n").filter((line) => line.trim()) : [$("text").value];
    return texts.map((text) => ({ text }));
  }
  if (by === "JSON") {
    const text = $("json").value.trim();
    const lines = text.split("\n");
    let first;
    try {
      first = JSON.parse(lines[0]);
    } catch {}
    if (lines.length < 2 || first === undefined) return [parse(text, "JSON")].flat();
    return lines.flatMap((line, row) => (line.trim() ? [parse(line, `JSON, line ${row + 1}`)] : []));
  }
  if (!files.length) throw new Error("Choose a file first");
  return (shown ? files.slice(0, 1) : files).map(({ name, type, base64 }) => {
    const content = shown ? FILE : base64;
    return $("field").value === "uri"
      ? { uri: `data:${type};base64,${content}`, mime_type: type }
      : { uri: name, mime_type: type, buffer: content };
  });
}

function body(shown) {
  const given = parameters();
  return {
    data: documents(shown),
    ...(Object.keys(given).length ? { parameters: given } : {}),
    ...(chosen.url ? {} : { execEndpoint: chosen.path }),
  };
}

async function take(list) {
  const read = (file) => new Promise((done, failed) => {
    const reader = Object.assign(new FileReader(), { onload: () => done(reader.result), onerror: () => failed(reader.error) });
    reader.readAsDataURL(file);
  });
  const [first] = list;
  const isJson = /\.(jsonl?|ndjson)$/.test(first.name);
  if (list.length === 1 && (isJson || first.type === "text/plain")) {
    $(isJson ? "json" : "text").value = await first.text();
    pick("input", isJson ? "JSON" : "Text");
  } else {
    files = await Promise.all(Array.from(list, async (file) => {
      const type = file.type || "application/octet-stream";
      return { name: file.name, type, size: file.size, base64: (await read(file)).replace(/^.*?,/, "") };
    }));
    $("files").replaceChildren(...files.map(({ name, type, size, base64 }) => h("figure", {},
      picture(`data:${type};base64,${base64}`, name), h("figcaption", { className: "soft" }, `${name}, ${plural(size, "byte")}`))));
    pick("input", "File");
  }
  write();
}

// ---- Running it

async function run() {
  if (running) return;
  let sent;
  try {
    sent = JSON.stringify(body());
  } catch (error) {
    return answer([problem(error.message)], "");
  }
  running = new AbortController();
  busy(true);
  $("state").textContent = "Running…";
  const start = performance.now();
  try {
    const response = await send(address(), { method: "POST", headers: { "Content-Type": "application/json" }, body: sent, signal: running.signal });
    const text = await response.text();
    const took = `${response.status} ${response.statusText}, ${Math.round(performance.now() - start).toLocaleString("en")} ms`;
    if (response.status === 401) askKey(run);
    let found;
    try {
      found = JSON.parse(text);
    } catch {}
    const docs = found?.data?.docs ?? found?.data ?? [];
    const failed = response.headers.get("X-Jina-Failed");
    $("state").textContent = took + (response.ok ? `, ${plural(docs.length, "Document")}` : "") + (failed ? `, ${failed} failed` : "");
    answer([...problems(response, found, text), ...docs.map((each) => shownDocument(each))], found === undefined ? text : JSON.stringify(found, null, 2));
  } catch (error) {
    const stopped = error.name === "AbortError";
    $("state").textContent = stopped ? `Stopped after ${Math.round(performance.now() - start)} ms` : "Failed";
    if (!stopped) answer([problem(`The server did not answer: ${error.message}`)], "");
  }
  running = undefined;
  busy(false);
}

function busy(is) {
  $("run").disabled = is;
  $("stop").disabled = !is;
  if (!is && document.activeElement === document.body) $("run").focus(); // a disabled button loses it
}

function answer(parts, raw) {
  $("answer").hidden = false;
  $("as-documents").replaceChildren(...parts);
  $("as-raw").textContent = raw;
}

function problem(message, hint, trace) {
  return h("div", { className: "card bad", role: "alert" }, h("p", { className: "doc" }, message), hint && h("p", {}, hint),
    trace && h("details", {}, h("summary", {}, "Traceback"), h("pre", { tabIndex: 0 }, trace)));
}

// What went wrong, in each shape in which it is said.
function problems(response, found, text) {
  const error = found?.error;
  if (error) return [problem(`${error.type}: ${error.message}`, error.hint, error.traceback)];
  if (found?.detail) return [found.detail].flat().map((each) => problem(`${each.loc ? each.loc.join(".") + ": " : ""}${each.msg ?? each}`));
  const statuses = [...(found?.routes ?? []).map((route) => [route.pod ?? route.executor, route.status]), ["", found?.status ?? found?.header?.status]];
  const bad = statuses.filter(([, status]) => status?.code && status.code !== "SUCCESS" && (status.description || status.exception));
  const said = bad.map(([name, { description, exception }]) => problem(`${name ? `${name}: ` : ""}${exception?.name ? `${exception.name}: ${(exception.args ?? []).join(", ")}` : description}`, "", exception?.stacks?.join("")));
  if (response.ok || said.length) return said;
  return [problem(`${response.status} ${response.statusText}`, text.slice(0, 500))];
}

// ---- Documents that can be read

const of = (doc, name) => doc[name] ?? doc[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())];
const OWN = ["id", "text", "tags", "scores", "chunks", "matches", "embedding", "blob", "tensor", "buffer", "error", "evaluations", "granularity", "adjacency"];

function picture(url, name) {
  return url.startsWith("data:image/") ? h("img", { src: url, alt: `Picture ${name}` }) : null;
}

function shownDocument(doc, tag = "article") {
  if (!doc || typeof doc !== "object") return h(tag, { className: "card" }, JSON.stringify(doc));
  const score = Object.entries(doc.scores ?? {}).map(([name, found]) => `${name} ${number(found?.value ?? found)}`).join(", ");
  const error = doc.error && problem(`${doc.error.type ?? "Error"}: ${doc.error.message ?? JSON.stringify(doc.error)}`, doc.error.hint, doc.error.traceback);
  const uri = doc.uri ?? "";
  const bytes = doc.buffer || (typeof doc.blob === "string" && doc.blob);
  const type = of(doc, "mime_type") || "";
  const rest = Object.entries(doc).filter(([key, value]) => !OWN.includes(key) && value && value !== "0" && !(Array.isArray(value) && !value.length) && !(key === "uri" && picture(uri)));
  const tags = Object.entries(doc.tags ?? {}).filter(([key, value]) => !(value === "" && key in doc));
  return h(tag, { className: tag === "li" ? "" : "card" },
    h("p", { className: "soft" }, doc.id ?? "", score && ` ${score}`), error,
    picture(uri, doc.id), bytes && (picture(`data:${type};base64,${bytes}`, doc.id) ?? h("p", {}, `buffer: ${plural(Math.floor(bytes.length * 0.75), "byte")}`)),
    doc.text && h("p", { className: "text" }, doc.text),
    pairs([...tags, ...["embedding", "blob", "tensor"].filter((key) => doc[key] && typeof doc[key] === "object").map((key) => [key, tensor(doc[key])]), ...rest]),
    doc.matches?.length ? [h("h4", {}, plural(doc.matches.length, "match").replace("matchs", "matches")), h("ol", { className: "matches" }, doc.matches.map((each) => shownDocument(each, "li")))] : null,
    doc.chunks?.length ? h("details", {}, h("summary", {}, plural(doc.chunks.length, "chunk")), h("ol", { className: "matches" }, doc.chunks.map((each) => shownDocument(each, "li")))) : null);
}

const number = (value) => (typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(5))) : String(value));

function pairs(entries) {
  return entries.length ? h("table", {}, entries.map(([key, value]) => h("tr", {}, h("th", { scope: "row" }, key),
    h("td", {}, cut(typeof value === "string" ? value : typeof value === "number" ? number(value) : JSON.stringify(value)))))) : null;
}

const cut = (text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

// Shape and first numbers, of nested lists or {dtype, shape, data}.
function tensor(value) {
  const dense = value.dense ?? value;
  if (!Array.isArray(value)) return `${dense.dtype ?? ""} (${(dense.shape ?? []).join(" × ")})${Array.isArray(dense.data) ? ` ${tensor(dense.data)}` : ""}`;
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  return `(${shape.join(" × ")}) ${value.flat(Infinity).slice(0, 6).map(number).join(", ")}…`;
}

// ---- The same elsewhere

const quoted = (text) => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// A shell line that prints JSON with the file's content in it.
function printed(value, file) {
  const pattern = JSON.stringify(value).replaceAll("\\", "\\\\").replaceAll("%", "%%").replaceAll(FILE, "%s");
  return `printf ${quoted(pattern + "\\n")} "$(base64 < ${quoted(file)} | tr -d '\\n')" |\n  `;
}

// JSON as a program's literal, with the file's content in its place.
const literal = (value) =>
  JSON.stringify(value).replaceAll(`"${FILE}"`, "content").replaceAll(`${FILE}"`, '" + content');
const python = (text) =>
  text.replace(/"(\\.|[^"\\])*"|true|false|null/g, (word) => ({ true: "True", false: "False", null: "None" })[word] ?? word);

const TOOLS = {
  curl(sent, file) {
    const key = flow.http.needs_key ? '-H "Authorization: Bearer $JINA_API_KEY" ' : "";
    const line = `curl ${quoted(address().href)} ${key}-H 'Content-Type: application/json' -d `;
    return file ? `${printed(sent, file)}${line}@-` : line + quoted(JSON.stringify(sent));
  },
  "jina post"(sent, file) {
    const given = sent.parameters ? ` --parameters ${quoted(JSON.stringify(sent.parameters))}` : "";
    const line = `jina post ${quoted(chosen.path)} --flow ${quoted(flow.flow)}${given}`;
    if (file) return printed(sent.data[0], file) + line;
    if (picked("input") === "Text") return line + sent.data.map(({ text }) => ` --text ${quoted(text)}`).join("");
    return `printf '%s\\n' ${sent.data.map((each) => quoted(JSON.stringify(each))).join(" ")} |\n  ${line}`;
  },
  Python(sent, file) {
    const key = flow.http.needs_key;
    const imports = [file && "base64", "json", key && "os", "urllib.request"].filter(Boolean).join(", ");
    return `import ${imports}

${file ? `content = base64.b64encode(open(${JSON.stringify(file)}, "rb").read()).decode()\n` : ""}body = ${python(literal(sent))}
request = urllib.request.Request(
    ${JSON.stringify(address().href)},
    json.dumps(body).encode(),
    {"Content-Type": "application/json"${key ? ', "Authorization": "Bearer " + os.environ["JINA_API_KEY"]' : ""}},
)
print(json.load(urllib.request.urlopen(request)))`;
  },
  JavaScript(sent, file) {
    const key = flow.http.needs_key ? ', Authorization: "Bearer " + process.env.JINA_API_KEY' : "";
    return `${file ? `import { readFileSync } from "node:fs";\n\nconst content = readFileSync(${JSON.stringify(file)}, "base64");\n` : ""}const response = await fetch(${JSON.stringify(address().href)}, {
  method: "POST",
  headers: { "Content-Type": "application/json"${key} },
  body: JSON.stringify(${literal(sent)}),
});
console.log(await response.json());`;
  },
};

function write() {
  for (const name of ["text", "json", "file"]) $(`by-${name}`).hidden = picked("input").toLowerCase() !== name;
  $("as-documents").hidden = picked("view") !== "Readable";
  $("as-raw").hidden = picked("view") === "Readable";
  if (!chosen) return;
  try {
    $("code").textContent = TOOLS[picked("tool")](body(true), picked("input") === "File" ? files[0].name : "");
  } catch (error) {
    $("code").textContent = error.message;
  }
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("code").textContent);
  } catch { // only pages that are secure, or from this machine, may use the clipboard
    getSelection().selectAllChildren($("code"));
    document.execCommand("copy");
  }
  $("copy").textContent = "Copied";
  setTimeout(() => ($("copy").textContent = "Copy"), 1500);
}

// ---- Tabs are radio buttons, so that arrow keys and screen readers know them

function tabs(id, names) {
  $(id).append(...names.map((name, at) => h("label", {}, h("input", { type: "radio", name: id, value: name, checked: !at, onchange: write }), h("span", {}, name))));
}
const picked = (id) => $(id).querySelector(":checked").value;
const pick = (id, name) => ($(id).querySelector(`[value="${name}"]`).checked = true);

tabs("input", ["Text", "JSON", "File"]);
tabs("view", ["Readable", "Raw JSON"]);
tabs("tool", Object.keys(TOOLS));
const root = document.documentElement;
root.dataset.theme = localStorage.getItem("jina.theme") ?? ""; // "": as the system has it
$("theme").onclick = () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("jina.theme", (root.dataset.theme = isDark ? "light" : "dark"));
};
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
document.ondragover = (event) => event.preventDefault();
$("try").ondragenter = $("try").ondragover = () => $("try").classList.add("over");
$("try").ondragleave = () => $("try").classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  $("try").classList.remove("over");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files);
};
window.onhashchange = choose;
load();
