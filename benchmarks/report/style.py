"""The page's style: for a phone first, wider screens get columns, and a dark side."""

STYLE = """
:root{--ink:#1c2128;--soft:#5b6572;--paper:#f6f7f9;--card:#fff;--line:#dde1e7;--good:#1a7f4b;
--bad:#b3261e;--c0:#2f6fde;--c1:#d9730d;--c2:#1a9c78;--c3:#9b51e0;--c4:#c2356b;--c5:#7a8a00}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b0;--paper:#14171b;
--card:#1d2127;--line:#333a43;--good:#4cc38a;--bad:#ff7b72;--c0:#6ea0ff;--c1:#ff9f43;
--c2:#45d0a8;--c3:#c08bff;--c4:#ff7aa8;--c5:#c0d03a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:1080px;margin:0 auto;padding:0 14px}
h1{font-size:1.5rem;margin:1.2rem 0 .4rem}h2{font-size:1.12rem;margin:0 0 .35rem}
h3{font-size:.95rem;margin:0 0 .4rem;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px;
margin:12px 0}
.hint,.file,.machine,footer{color:var(--soft);font-size:.86rem;margin:.1rem 0 .6rem}
footer{padding-bottom:24px}
.badge{display:inline-block;border-radius:99px;padding:1px 9px;font-size:.78rem;color:#fff;
margin:0 6px 4px 0}.badge.good{background:var(--good)}.badge.bad{background:var(--bad)}
@media(prefers-color-scheme:dark){.badge{color:#111}}
@media(min-width:900px){main{display:grid;grid-template-columns:1fr 1fr;gap:0 12px}
section{grid-column:1/-1}section.half{grid-column:auto}}
section{min-width:0}details{margin-top:.4rem}summary{cursor:pointer;color:var(--soft);
font-size:.88rem;padding:4px 0}.star{color:var(--good);margin-left:.3em}
.doubt{color:var(--bad);margin-left:.3em}
.legend{list-style:none;margin:.2rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:2px 14px;
font-size:.82rem;color:var(--soft)}
.cards{display:grid;gap:10px;grid-template-columns:repeat(auto-fill,minmax(250px,1fr))}
.card{border:1px solid var(--line);border-radius:10px;padding:11px}
dl{display:grid;grid-template-columns:auto 1fr;gap:1px 10px;margin:0;font-size:.88rem}
dt{color:var(--soft)}dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
dl.row{max-width:420px}small{color:var(--soft)}
.dot{display:inline-block;width:.72em;height:.72em;border-radius:50%;margin-right:.45em}
.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}
.c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}
.c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}
.chart{max-width:600px}.pair{display:grid;gap:14px}
@media(min-width:760px){.pair{grid-template-columns:1fr 1fr}}
svg{width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
svg .tick{font-size:9.5px;fill:var(--soft)}svg .value{fill:var(--soft);font-size:10px}
svg .cell{font-size:8px}
svg .label{paint-order:stroke;stroke:var(--card);stroke-width:3px}
.axis,.grid{stroke:var(--line)}.mark{stroke:var(--ink);stroke-width:1.5}
.thin{stroke-width:1;stroke-dasharray:2 2}
.front{fill:none;stroke:var(--soft);stroke-width:1.3;stroke-dasharray:4 3}
.ring{fill:none;stroke:var(--good);stroke-width:1.6}
.better,.right{fill:var(--good)}.worse,.wrong{fill:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem;width:100%}
td,th{padding:4px 10px 4px 0;text-align:left;border-bottom:1px solid var(--line);
vertical-align:top}.facts th{color:var(--soft);font-weight:400;width:8.5em}
.n{text-align:right;white-space:nowrap}.bar{width:40%}
@media(max-width:620px){.models tr{display:grid;grid-template-columns:repeat(3,1fr);
border-bottom:1px solid var(--line);padding:6px 0}.models tr:first-child{display:none}
.models td{border:0;padding:2px 0}.models td:first-child{grid-column:1/-1;font-weight:600}
.models .n{text-align:left}.models .n::before{content:attr(data-head);display:block;
color:var(--soft);font-size:.72rem}}
.bar i{display:block;height:9px;background:var(--c0);border-radius:3px}
.remarks{padding-left:1.1em;margin:.6rem 0 0;font-size:.88rem}.remarks:empty{display:none}
li.bad{color:var(--bad)}
.flips{display:grid;gap:10px;grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}
@media(max-width:360px){.flips{grid-template-columns:1fr}}
.flip{border:1px solid var(--line);border-left:4px solid var(--soft);border-radius:8px;
padding:9px}.flip.lost{border-left-color:var(--bad)}.flip.gained{border-left-color:var(--good)}
.images{display:flex;gap:6px}figure{margin:0;flex:0 1 112px;min-width:0}
img{width:100%;height:auto;border-radius:5px;display:block}
figcaption{font-size:.68rem;color:var(--soft)}
.kind{margin:.35rem 0;font-size:.8rem;color:var(--soft)}.file{margin:.3rem 0 0;
overflow-wrap:anywhere;font-size:.72rem}
"""
