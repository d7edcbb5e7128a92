/*
 * templatessql.c - what PostgreSQL is asked about templates, and its answers.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "store/templatespg.h"

/* pg_type.dat */
enum { OID_BYTEA = 17, OID_INT4 = 23, OID_TEXT = 25, OID_INT4_ARRAY = 1007 };

enum column {
	COLUMN_NAME,
	COLUMN_DESCRIPTION,
	COLUMN_ATTRIBUTION,
	COLUMN_CROP,
	COLUMN_LOCATION,
	COLUMN_IMAGE_SIZE, /* these two of one template only */
	COLUMN_IMAGE,
	COLUMN_COUNT
};

/* What is too large, or no box at all, comes as NULL. */
#define BOUNDED(column)                                                        \
	"CASE WHEN octet_length(" column                                       \
	"::text) <= " TO_TEXT(TEMPLATE_MAX_TEXT) " THEN " column "::text END"
#define BOX(column) "CASE WHEN cardinality(" column ") = 4 THEN " column " END"
#define SELECT_COLUMNS                                                                                               \
	"SELECT CASE WHEN octet_length(name::text) <= " TO_TEXT(TEMPLATE_MAX_NAME) " THEN name::text END, " BOUNDED( \
		"coalesce(description, '')") ", " BOUNDED("coalesce(attribution, '')") ", " BOX("crop") ", " BOX("location")

static enum err check_columns(const PGresult *result, int nr, struct errmsg *e)
{
	static const Oid types[COLUMN_COUNT] = {
		[COLUMN_NAME] = OID_TEXT,
		[COLUMN_DESCRIPTION] = OID_TEXT,
		[COLUMN_ATTRIBUTION] = OID_TEXT,
		[COLUMN_CROP] = OID_INT4_ARRAY,
		[COLUMN_LOCATION] = OID_INT4_ARRAY,
		[COLUMN_IMAGE_SIZE] = OID_INT4,
		[COLUMN_IMAGE] = OID_BYTEA,
	};

	/* Of columns that are not there, PQftype() says 0. */
	for (int i = 0; i < nr; i++)
		if (PQftype(result, i) != types[i] || PQfformat(result, i) != 1)
			return err_set(e, ERR_CORRUPT,
				       "the table of templates has a column of "
				       "another type than it should (the %dth)",
				       i + 1);
	return ERR_OK;
}

static int32_t read_int(const char *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return (int32_t)ntohl(value);
}

/* An array as array_send() writes it: of one dimension, without NULLs. */
static bool take_box(const PGresult *result, int row, int column,
		     struct box *box_r)
{
	enum { NR_DIMS, HAS_NULLS, TYPE, LENGTH, LOWER_BOUND, NR_FIRST };
	const char *data = PQgetvalue(result, row, column);
	int32_t first[NR_FIRST];
	int64_t sides[BOX_SIDES];

	if (PQgetlength(result, row, column) != NR_FIRST * 4 + BOX_SIDES * 8)
		return false;
	for (int i = 0; i < NR_FIRST; i++, data += 4)
		first[i] = read_int(data);
	if (first[NR_DIMS] != 1 || first[TYPE] != OID_INT4 ||
	    first[LENGTH] != BOX_SIDES)
		return false;
	for (int i = 0; i < BOX_SIDES; i++, data += 8) {
		if (read_int(data) != 4)
			return false;
		sides[i] = read_int(data + 4);
	}
	*box_r = templates_box(sides);
	return true;
}

/* What it points to is the result's. */
static enum err read_row(const PGresult *result, int row, struct template *t,
			 struct errmsg *e)
{
	const char *wrong = NULL;

	if (PQgetisnull(result, row, COLUMN_NAME))
		return err_set(e, ERR_CORRUPT,
			       "the name of a template is longer than %d bytes",
			       TEMPLATE_MAX_NAME);
	t->name = PQgetvalue(result, row, COLUMN_NAME);
	t->description = PQgetvalue(result, row, COLUMN_DESCRIPTION);
	t->attribution = PQgetvalue(result, row, COLUMN_ATTRIBUTION);
	if (PQgetisnull(result, row, COLUMN_DESCRIPTION))
		wrong = "description is longer than " TO_TEXT(
			TEMPLATE_MAX_TEXT) " bytes";
	else if (PQgetisnull(result, row, COLUMN_ATTRIBUTION))
		wrong = "attribution is longer than " TO_TEXT(
			TEMPLATE_MAX_TEXT) " bytes";
	else if (!take_box(result, row, COLUMN_CROP, &t->crop))
		wrong = "crop is not four numbers";
	else if (!take_box(result, row, COLUMN_LOCATION, &t->location))
		wrong = "location is not four numbers";
	if (wrong)
		return err_set(e, ERR_CORRUPT, "the template '%s': its %s",
			       err_quote(t->name).text, wrong);
	return ERR_OK;
}

/* No image, but a size, is one that is too large. */
static void read_image(const PGresult *result, struct template *t)
{
	const int column = COLUMN_IMAGE_SIZE;
	int32_t size = PQgetlength(result, 0, column) == 4 ?
			       read_int(PQgetvalue(result, 0, column)) :
			       0;

	if (!PQgetisnull(result, 0, COLUMN_IMAGE)) {
		t->image = (const uint8_t *)PQgetvalue(result, 0, COLUMN_IMAGE);
		t->image_size = (size_t)PQgetlength(result, 0, COLUMN_IMAGE);
	} else if (size > 0 && (size_t)size > TEMPLATE_MAX_BYTES) {
		t->image_size = (size_t)size;
	}
}

/* What templates.c asks */

static void clear_result(void *ptr)
{
	PQclear(ptr);
}

enum err templatespg_get(struct templatespg *pg, struct arena *a,
			 const char *name, struct template *t, struct errmsg *e)
{
	const struct question q = {
		.sql = SELECT_COLUMNS
		", octet_length(image), "
		"CASE WHEN octet_length(image) <= $2::int4 THEN image END "
		"FROM templates WHERE name = $1",
		.nr = 2,
		.values = { name, arena_printf(a, "%zu", TEMPLATE_MAX_BYTES) },
	};
	PGresult *result;
	enum err err = templatespg_ask(pg, &q, &result, e);

	if (err)
		return err;
	arena_defer(a, clear_result, result);
	err = check_columns(result, COLUMN_COUNT, e);
	if (err)
		return err;
	if (!PQntuples(result))
		return ERR_NOTFOUND;
	read_image(result, t);
	return read_row(result, 0, t, e);
}

enum err templatespg_list(struct templatespg *pg, struct templatelist *list,
			  struct errmsg *e)
{
	static const struct question q = {
		/* One more says that there are too many. */
		.sql = SELECT_COLUMNS " FROM templates "
				      "LIMIT 1 + " TO_TEXT(TEMPLATES_MAX),
	};
	PGresult *result;
	enum err err = templatespg_ask(pg, &q, &result, e);

	if (err == ERR_NOTFOUND)
		return err_set(e, ERR_CORRUPT,
			       "a template has text that is no Unicode");
	if (err)
		return err;
	err = check_columns(result, COLUMN_IMAGE_SIZE, e);
	for (int i = 0; !err && i < PQntuples(result); i++) {
		struct template t = { 0 };
		struct errmsg why;

		err = read_row(result, i, &t, &why) ?
			      templatelist_leave_out(list, &why, e) :
			      templatelist_add(list, &t, e);
	}
	PQclear(result);
	return err;
}
