<%
    pending = {each["revision"] for each in plan["revisions"]}
    row_height, number = 36, len(plan["revisions"])

    # the ends of a line in the picture: the side of its table is at 22 0
    feet = {
        "one": '<path d="M12 -6V6M17 -6V6"/>',
        "maybe": '<path d="M17 -6V6"/><circle cx="8" cy="0" r="4"/>',
        "many": '<path d="M11 0L22 -7M11 0L22 7"/><circle cx="7" cy="0" r="4"/>',
    }

    def count(number, what):
        return f"{number} {what}{'s' * (number != 1)}"
%>\
<%def name="found(all)">
% for same in grouped(all, "rule"):
<% fixes = {each["fix"] for each in same} %>\
<li class="${same[0]['severity']}"><strong>${same[0]["severity"]}</strong> <code>${same[0]["rule"]}</code>
<ul>
% for each in same:
<li>${each["message"]} <span class="quiet">${each["path"]}${f":{each['line']}" if each["revision"] else ""}\
${f" Fix: {each['fix']}" if len(fixes) > 1 else ""}</span></li>
% endfor
</ul>
% if len(fixes) == 1:
<span class="quiet">Fix: ${same[0]["fix"]}</span>
% endif
</li>
% endfor
</%def>\
<%def name="title()">Database of ${name}</%def>\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'">
<title>${title()}</title>
<style>
:root { color-scheme: light dark; --text: #1c2430; --quiet: #5a6675; --page: #f6f7f9; --card: #fff; --line: #d5dae1;
  --accent: #0b62c4; --error: #b3261e; --warning: #8a5a00; --done: #2c7a4b; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --quiet: #9ba7b6; --page: #12161c; --card: #1b2129;
  --line: #343d49; --accent: #7db4ff; --error: #ff8a80; --warning: #f0b85a; --done: #6fcf97; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.75rem; }
h2 { margin: 2.5rem 0 1rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.3rem; }
h3 { margin: 0 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
a { color: var(--accent); }
nav a { display: inline-block; margin-right: 1.25rem; }
code, pre, td.name { font-family: ui-monospace, monospace; font-size: .875em; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--page); }
.card { padding: 1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); overflow-x: auto; }
.card + .card { margin-top: 1rem; }
.card:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1rem; }
.cards .card { margin: 0; }
.quiet { color: var(--quiet); font-size: .9rem; }
.error strong { color: var(--error); }
.waits { font-weight: 600; }
.verdict { margin: 1rem 0; border-left: .4rem solid var(--done); overflow-wrap: anywhere; }
.verdict.wait { border-left-color: var(--warning); }
.verdict.stop { border-left-color: var(--error); }
.verdict p { margin: 0; }
.verdict ul { margin: .5rem 0 0; padding-left: 1.25rem; }
li, td, p { overflow-wrap: anywhere; }
td.name { overflow-wrap: normal; }
input { width: min(100%, 20rem); margin-bottom: 1rem; padding: .4rem .6rem; border: 1px solid var(--line);
  border-radius: .4rem; background: var(--card); color: inherit; font: inherit; }
[hidden] { display: none; }
.warning strong, .note strong { color: var(--warning); }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
th { border-top: 0; color: var(--quiet); font-weight: 600; }
ul.findings { margin: .75rem 0 0; padding: 0; list-style: none; }
ul.findings > li + li { margin-top: .75rem; }
ul.findings ul { margin: .25rem 0; padding-left: 1.25rem; }
summary { cursor: pointer; margin-top: .75rem; color: var(--accent); }
.graph { position: relative; }
.graph svg { position: absolute; top: 0; left: 0; }
.graph path { fill: none; stroke: var(--quiet); stroke-width: 2; }
.graph path.depends { stroke-dasharray: 3 4; }
.graph circle { fill: var(--done); stroke: var(--card); stroke-width: 2; }
.graph circle.pending { fill: var(--card); stroke: var(--accent); }
.graph ol { margin: 0; padding: 0; list-style: none; }
.graph li { height: ${row_height}px; line-height: ${row_height}px; white-space: nowrap; }
.tag { display: inline-block; line-height: 1.4; padding: .1rem .5rem; border: 1px solid currentColor; border-radius: 1rem; color: var(--done); font-size: .8rem; }
.tag.pending { color: var(--accent); }
.picture { --wide: clamp(100%, var(--natural) * .85, 100vw - 4rem); width: var(--wide);
  max-height: 90vh; margin: 0 0 1rem calc(50% - var(--wide) / 2); }
.picture svg { display: block; width: 100%; min-width: calc(var(--natural) * .75); max-width: var(--natural); margin: auto;
  font: 12px ui-monospace, monospace; }
.picture text { fill: var(--text); dominant-baseline: central; white-space: pre; }
.picture .type { fill: var(--quiet); text-anchor: end; }
.picture .mark { fill: var(--accent); font-weight: 600; }
.picture .name { font-weight: 600; }
.picture rect { fill: var(--page); stroke: var(--quiet); }
.picture .head { fill: var(--line); stroke: none; }
.picture a:is(:hover, :focus-visible) rect { stroke: var(--accent); stroke-width: 2; }
.picture path { fill: none; stroke: var(--quiet); stroke-width: 1.5; }
.picture marker :is(path, circle) { fill: var(--card); stroke: var(--quiet); stroke-width: 1.5; }
.picture .line:hover path { stroke: var(--accent); stroke-width: 2.5; }
.picture .line path.near { stroke: transparent; stroke-width: 12; }
.picture figcaption { margin-top: .75rem; }
@media (max-width: 40rem) { body { padding: .75rem; } thead { display: none; } tbody, tr, td { display: block; } td.name { overflow-wrap: anywhere; }
  tr { padding: .4rem 0; border-top: 1px solid var(--line); } td { padding: 0; border: 0; } tbody tr:first-child { border: 0; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); font-weight: 400; }
  .graph svg { display: none; } .graph ol { padding: 0 !important; }
  .graph li { height: auto; line-height: 1.5; white-space: normal; padding: .3rem 0; } }
@media print { body { max-width: none; padding: 0; } .picture { width: auto; max-height: none; margin-left: 0; } .picture svg { min-width: 0; } .card { break-inside: avoid; } nav { display: none; }
  details::details-content { content-visibility: visible; display: block; } pre { white-space: pre-wrap; } }
</style>
</head>
<body>
<header>
<h1>${title()}</h1>
<p class="quiet">${where}; now at ${" and ".join(plan["current"]) or "base"}</p>
<div class="card verdict ${verdict[0]}"><p><strong>${verdict[1]}</strong> ${plan["schema"]}</p>
% if verdict[2]:
<ul>
% for reason in verdict[2]:
<li>${reason}</li>
% endfor
</ul>
% endif
</div>
<nav aria-label="Contents"><a href="#pending">${count(number, "pending migration")}</a>
<a href="#findings">${count(len(findings) + sum(len(each["findings"]) for each in plan["revisions"]), "finding")}</a> <a href="#revisions">Revisions</a> <a href="#schema">Schema</a></nav>
</header>
<main>
<section id="pending" aria-labelledby="title-pending">
<h2 id="title-pending">Pending migrations</h2>
% if not number:
<p>There is nothing to run.</p>
% endif
% for each in plan["revisions"]:
<article class="card" id="pending-${each['revision']}">
<h3><code>${each["revision"]}</code> ${each["message"]}</h3>
<p class="quiet">${each["path"]}</p>
% if each["operations"]:
<table>
<thead><tr><th scope="col">line</th><th scope="col">what it does</th><th scope="col">what that locks</th><th scope="col">who waits</th><th scope="col">how large it is</th></tr></thead>
<tbody>
% for same in grouped(each["operations"], "operation", "locks"):
<%
    op = same[0]
    locks = op["locks"] or ()
    unknown = "unknown" if op["locks"] is None else ""
    bold = "waits" if unknown or any(map(blocks, locks)) else ""
%>\
<tr class="${bold}"><td data-label="line">${", ".join(dict.fromkeys(str(one["line"]) for one in same))}</td>
<td><code>${op["operation"]}</code> ${", ".join(one["about"] for one in same)}</td>
<td data-label="locks">${", ".join(f"{lock['mode']} on {lock['table']}" for lock in locks) or unknown or "nothing in use"}</td>
<td data-label="who waits">${", ".join(sorted({lock["blocks"] for lock in locks})) or unknown or "nobody"}</td>
<td>${", ".join(dict.fromkeys(map(size_of, locks)))}</td></tr>
% endfor
</tbody>
</table>
% else:
<p>No operation is found in it.</p>
% endif
<ul class="findings">
${found(each["findings"])}
% for finding in each["suppressed"]:
<li class="quiet">suppressed: <code>${finding["rule"]}</code> ${finding["message"]}</li>
% endfor
</ul>
% if each["sql"] is None:
<p>SQL: ${each["problem"]}</p>
% else:
<details><summary>SQL</summary><pre tabindex="0">${each["sql"]}</pre></details>
% endif
</article>
% endfor
</section>
<section id="findings" aria-labelledby="title-findings">
<h2 id="title-findings">Findings</h2>
% if findings:
<div class="card"><ul class="findings">
${found(findings)}
</ul></div>
% else:
<p>${"There are no others than those of the pending migrations." if any(each["findings"] for each in plan["revisions"]) else "The check finds nothing: the migrations are safe, and in sync with the models."}</p>
% endif
</section>
<section id="revisions" aria-labelledby="title-revisions">
<h2 id="title-revisions">Revisions</h2>
<div class="card graph">
<svg width="${graph['width']}" height="${len(graph['revisions']) * row_height}" aria-hidden="true" style="margin: 1rem">
% for path, kind in graph["paths"]:
<path class="${kind}" d="${path}"/>
% endfor
% for script in graph["revisions"]:
<circle class="${'pending' if script.revision in pending else 'done'}" cx="${graph['place'][script.revision]}" cy="${graph['at'][script.revision]}" r="6"/>
% endfor
</svg>
<ol style="padding-left: ${graph['width'] + 10}px">
% for script in graph["revisions"]:
<li><code>${script.revision}</code> ${script.doc} <span class="quiet">${added.get(Path(script.path).name, "not committed")}</span>
% if script.revision in pending:
<a class="tag pending" href="#pending-${script.revision}">pending</a>
% elif script.revision in plan["current"]:
<span class="tag">the database is here</span>
% endif
</li>
% endfor
</ol>
</div>
</section>
<section id="schema" aria-labelledby="title-schema">
<h2 id="title-schema">Schema</h2>
% if not tables:
<p>The models have no tables.</p>
% else:
<figure class="card picture" style="--natural: ${picture.width + 20}px">
<svg viewBox="-10 -1 ${picture.width + 20} ${picture.height + 2}" role="group" aria-labelledby="picture-title" aria-describedby="picture-about">
<title id="picture-title">Tables and foreign keys</title>
<desc id="picture-about">${count(len(picture.boxes), "table")}, ${count(len(picture.lines), "foreign key")}. A table is a link to its \
card below; a line leads from it to each table that refers to it.</desc>
<defs>
% for name, drawn in feet.items():
<marker id="${name}" viewBox="0 -9 22 18" refX="22" markerWidth="22" markerHeight="18" markerUnits="userSpaceOnUse" orient="auto-start-reverse">${drawn | n}</marker>
% endfor
</defs>
% for line in picture.lines:
<g class="line"><title>${line.key.parent.key} (${", ".join(line.key.column_keys)}) refers to ${line.key.referred_table.key} \
(${", ".join(part.column.name for part in line.key.elements)})</title>\
<path class="near" d="${line.path}"/><path d="${line.path}" marker-start="url(#${line.referred})" marker-end="url(#${line.referring})"/></g>
% endfor
% for box in picture.boxes:
<a href="#table-${box.table.key}" transform="translate(${box.x} ${box.y})"><title>${box.table.key}</title>\
<rect width="${box.width}" height="${box.height}" rx="5"/><path class="head" d="M0 ${draw_schema.ROW}V5A5 5 0 0 1 5 0H${box.width - 5}a5 5 0 0 1 5 5V${draw_schema.ROW}z"/>\
<text class="name" x="${draw_schema.PAD}" y="${draw_schema.ROW / 2}">${draw_schema.cut(box.table.key)}</text>
% for number, (mark, name, type_name) in enumerate(box.rows.values(), 1):
<% y = draw_schema.ROW * (number + .5) %>\
<text class="mark" x="${draw_schema.PAD}" y="${y}">${mark}</text><text x="${box.indent}" y="${y}">${name}</text>\
<text class="type" x="${box.width - draw_schema.PAD}" y="${y}">${type_name}</text>
% endfor
</a>
% endfor
</svg>
<figcaption class="quiet">PK: primary key, FK: foreign key. At the end of a line: <b>||</b> exactly one row, <b>|○</b> one or none, a crow’s foot any number.</figcaption>
</figure>
% endif
% if tables:
<input id="filter" type="search" placeholder="Filter tables by name" aria-label="Filter tables by name">
% endif
<div class="cards">
% for table in tables:
<article class="card" id="table-${table.key}" data-table="${table.key.lower()}">
<h3>${table.key}</h3>
% if table.comment:
<p class="quiet">${table.comment}</p>
% endif
<table>
<tbody>
% for column in table.columns:
<tr><td class="name">${column.name}</td><td>${type_of(column)}\
<% default = draw_tables.default_of(column) %>${f", default {default}" if default else ""}</td>
<td>${', '.join(draw_tables.marks_of(column))} \
% for key in sorted(column.foreign_keys, key=str):
<a href="#table-${key.column.table.key}">${key.column.table.key}.${key.column.name}</a> \
% endfor
<span class="quiet">${column.comment or ""}</span></td></tr>
% endfor
</tbody>
</table>
% for index in sorted(table.indexes, key=lambda index: str(index.name)):
<div class="quiet"><code>${draw_tables.index_text(index)}</code></div>
% endfor
% for constraint in constraints_of(table):
<div class="quiet"><code>${constraint}</code></div>
% endfor
% if referring(table):
<div class="quiet">referred to by \
% for other in referring(table):
<a href="#table-${other}">${other}</a> \
% endfor
</div>
% endif
</article>
% endfor
</div>
</section>
</main>
% if tables:
<script>${filter_script | n}</script>
% endif
</body>
</html>
