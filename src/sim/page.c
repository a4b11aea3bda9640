/* See page.h. */
#include "sim/page.h"

#include <string.h>

/* Colours are the page's own, for light and dark; a page that is printed is light. */
static const char style[] =
	":root{--page:#fff;--text:#1c2430;--faint:#5c6773;--line:#d9dee4;--tile:#f4f6f8;--good:#2368b5;--idle:#"
	"9aa5b1;"
	"--bad:#c2410c;--first:#2368b5;--second:#8a5a00;--third:#7b2d8b;color-scheme:light dark}"
	"@media screen and "
	"(prefers-color-scheme:dark){:root{--page:#12161c;--text:#e6eaee;--faint:#9aa5b1;--line:#333c47;"
	"--tile:#1b212a;--good:#6aa9f0;--idle:#66717d;--bad:#fb8147;--first:#6aa9f0;--second:#e0ac4a;--third:#"
	"cf8fdc}}"
	"body{margin:0 auto;padding:1.5rem;max-width:70rem;background:var(--page);color:var(--text);"
	"font:16px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}"
	"ul{padding-left:1.2rem}.doubts{border-left:4px solid var(--second);padding-left:1rem}"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0}"
	".tile{background:var(--tile);border-radius:.4rem;padding:.6rem .8rem}.tile "
	"b{display:block;font-size:1.35rem}"
	".tile span{color:var(--faint);font-size:.85rem}"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}"
	"th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;"
	"max-width:36rem;overflow-wrap:break-word}td:first-child{min-width:9rem}td:last-child:not(.n){min-width:"
	"14rem}th{white-space:nowrap}.n{text-"
	"align:right;white-space:nowrap}"
	"figure{margin:1rem "
	"0;overflow-x:auto}figcaption{font-weight:600}.key{color:var(--faint);font-size:.85rem;font-weight:400}"
	".key i{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin:0 .3em 0 .9em}"
	"svg{display:block;width:100%;min-width:36rem;height:auto;margin-top:.3rem}svg text{font:12px "
	"system-ui,sans-serif;fill:var(--faint)}"
	".grid{stroke:var(--line);fill:none}.good{fill:var(--good)}.idle{fill:var(--idle)}.bad{fill:var(--bad)}"
	".first,.second,.third,.limit,.range{fill:none;stroke-width:1.8}"
	".first{stroke:var(--first)}.second{stroke:var(--second)}.third{stroke:var(--third)}"
	".limit{stroke:var(--bad);stroke-dasharray:5 "
	"4}.range{stroke:var(--first);stroke-width:5;stroke-linecap:round}"
	".end{fill:var(--third)}.middle{fill:var(--page);stroke:var(--first);stroke-width:2}";

/* ---- escaping ---- */

/* NUL and other control characters stand in no HTML; bytes that are no UTF-8 become U+FFFD. */
void page_escape(struct buf *b, struct str s)
{
	for (size_t i = 0, step; i < s.n; i += step) {
		unsigned char c = (unsigned char)s.p[i];

		step = str_utf8_step((struct str){s.p + i, s.n - i});
		if (step == 0 || (c < ' ' && c != '\t' && c != '\n') || c == 0x7f) {
			step = 1;
			buf_z(b, "\xEF\xBF\xBD");
		} else if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'') {
			buf_fmt(b, "&#%d;", c);
		} else {
			buf_add(b, s.p + i, step);
		}
	}
}

static void escape_markdown(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ')
			buf_c(b, ' ');
		else if (s.p[i] == '<' || s.p[i] == '&')
			buf_fmt(b, "&#%d;", s.p[i]);
		else if (strchr("\\`*_[]|~", s.p[i]))
			buf_fmt(b, "\\%c", s.p[i]);
		else
			buf_c(b, s.p[i]);
	}
}

/* RFC 4180. */
static void escape_csv(struct buf *b, struct str s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++)
		quoted |= strchr(",\"\r\n", s.p[i]) != NULL;
	if (quoted)
		buf_c(b, '"');
	if (s.n && s.p[0] && strchr("=+-@\t\r", s.p[0]))
		buf_c(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_c(b, '"');
		buf_c(b, s.p[i]);
	}
	if (quoted)
		buf_c(b, '"');
}

static void put(struct page *p, struct str text)
{
	switch (p->format) {
	case PAGE_MARKDOWN:
		escape_markdown(p->b, text);
		break;
	case PAGE_HTML:
		page_escape(p->b, text);
		break;
	case PAGE_CSV:
		escape_csv(p->b, text);
		break;
	}
}

/* ---- text ---- */

/* Text in a tag of HTML, or behind something in Markdown; CSV has none. */
static void block(struct page *p, const char *before, const char *tag, struct str text)
{
	if (p->format == PAGE_CSV)
		return;
	if (p->format == PAGE_HTML)
		buf_fmt(p->b, "<%s>", tag);
	else
		buf_z(p->b, before);
	put(p, text);
	if (p->format == PAGE_HTML)
		buf_fmt(p->b, "</%s>", tag);
	buf_c(p->b, '\n');
}

void page_begin(struct page *p, struct str title)
{
	if (p->format == PAGE_HTML) {
		buf_z(p->b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
			    "style-src 'unsafe-inline'\">\n<title>");
		page_escape(p->b, title);
		buf_fmt(p->b, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
	}
	block(p, "# ", "h1", title);
}

void page_end(struct page *p)
{
	if (p->format == PAGE_HTML)
		buf_z(p->b, "</body>\n</html>\n");
}

void page_heading(struct page *p, const char *text)
{
	block(p, "\n## ", "h2", str_of(text));
}

void page_text(struct page *p, struct str text)
{
	block(p, "\n", "p", text);
}

void page_items(struct page *p, const struct str *texts, size_t count)
{
	if (p->format == PAGE_CSV || count == 0)
		return;
	buf_z(p->b, p->format == PAGE_HTML ? "<ul>\n" : "\n");
	for (size_t i = 0; i < count; i++)
		block(p, "- ", "li", texts[i]);
	if (p->format == PAGE_HTML)
		buf_z(p->b, "</ul>\n");
}

/* ---- tables ---- */

static void head(struct page *p, const struct page_column *c, bool first)
{
	switch (p->format) {
	case PAGE_MARKDOWN:
		buf_z(p->b, first ? "| " : " | ");
		break;
	case PAGE_HTML:
		buf_z(p->b, c->number ? "<th class=\"n\" scope=\"col\">" : "<th scope=\"col\">");
		break;
	case PAGE_CSV:
		buf_z(p->b, first ? "" : ",");
		break;
	}
	put(p, str_of(c->name));
	if (p->format == PAGE_HTML)
		buf_z(p->b, "</th>");
}

static void heads_end(struct page *p)
{
	switch (p->format) {
	case PAGE_MARKDOWN:
		buf_z(p->b, " |\n|");
		for (unsigned i = 0; i < p->count; i++)
			buf_z(p->b, p->columns[i].number ? "---:|" : "---|");
		buf_c(p->b, '\n');
		break;
	case PAGE_HTML:
		buf_z(p->b, "</tr></thead>\n<tbody>\n");
		break;
	case PAGE_CSV:
		buf_z(p->b, "\r\n");
		break;
	}
}

void page_table(struct page *p, const char *name, const struct page_column *columns, unsigned count)
{
	p->columns = columns;
	p->count = count;
	p->at = 0;
	p->shown = p->format != PAGE_CSV || str_eqz(p->only, name);
	p->found |= p->shown;
	if (!p->shown)
		return;
	if (p->format != PAGE_CSV)
		buf_z(p->b, p->format == PAGE_HTML ? "<div class=\"wide\"><table>\n<thead><tr>" : "\n");
	for (unsigned i = 0; i < count; i++)
		head(p, &columns[i], i == 0);
	heads_end(p);
}

static void cell_begin(struct page *p)
{
	bool first = p->at == 0;

	switch (p->format) {
	case PAGE_MARKDOWN:
		buf_z(p->b, first ? "| " : " | ");
		break;
	case PAGE_HTML:
		buf_z(p->b, first ? "<tr>" : "");
		buf_z(p->b, p->columns[p->at].number ? "<td class=\"n\">" : "<td>");
		break;
	case PAGE_CSV:
		buf_z(p->b, first ? "" : ",");
		break;
	}
}

static void cell_end(struct page *p)
{
	bool last = ++p->at == p->count;

	if (last)
		p->at = 0;
	switch (p->format) {
	case PAGE_MARKDOWN:
		buf_z(p->b, last ? " |\n" : "");
		break;
	case PAGE_HTML:
		buf_z(p->b, last ? "</td></tr>\n" : "</td>");
		break;
	case PAGE_CSV:
		buf_z(p->b, last ? "\r\n" : "");
		break;
	}
}

void page_cell(struct page *p, struct str text)
{
	if (!p->shown)
		return;
	cell_begin(p);
	put(p, text);
	cell_end(p);
}

void page_int(struct page *p, int64_t n)
{
	if (!p->shown)
		return;
	cell_begin(p);
	buf_i64(p->b, n);
	cell_end(p);
}

void page_real(struct page *p, double v, int decimals)
{
	if (!p->shown)
		return;
	cell_begin(p);
	if (isfinite(v))
		buf_fmt(p->b, "%.*f", decimals, v);
	cell_end(p);
}

void page_table_end(struct page *p)
{
	if (p->shown && p->format == PAGE_HTML)
		buf_z(p->b, "</tbody>\n</table></div>\n");
	p->shown = false;
}
