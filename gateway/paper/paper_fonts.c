#include <dirent.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangofc-fontmap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paper/paper_parts.h"

#define PATH_SIZE 700

/* A configuration of our own: the same pages on any machine, no cache written, no user's file read.
 */
struct paper_fonts {
    FcConfig *config;
    PangoFontMap *map;
    PangoContext *context;
};

static bool has_family(FcConfig *config, const char *family)
{
    const FcFontSet *set = FcConfigGetFonts(config, FcSetApplication);

    for (int i = 0; set != NULL && i < set->nfont; i++) {
        FcChar8 *name = NULL;

        if (FcPatternGetString(set->fonts[i], FC_FAMILY, 0, &name) == FcResultMatch &&
            strcmp((const char *)name, family) == 0) {
            return true;
        }
    }
    return false;
}

/* File by file: of a folder fontconfig would want to keep a cache. */
static void add_folder(FcConfig *config, const char *folder)
{
    DIR *files = opendir(folder);
    struct dirent *entry;
    char path[PATH_SIZE];

    while (files != NULL && (entry = readdir(files)) != NULL) {
        size_t length = strlen(entry->d_name);

        if (length > 4 && (strcmp(entry->d_name + length - 4, ".otf") == 0 ||
                           strcmp(entry->d_name + length - 4, ".ttf") == 0)) {
            snprintf(path, sizeof path, "%.400s/%.255s", folder, entry->d_name);
            (void)FcConfigAppFontAddFile(config, (const FcChar8 *)path);
        }
    }
    if (files != NULL) {
        closedir(files);
    }
}

static PangoContext *make_context(struct paper_fonts *fonts)
{
    cairo_font_options_t *options = cairo_font_options_create();
    PangoContext *context;

    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(fonts->map), fonts->config);
    context = pango_font_map_create_context(fonts->map);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, 72);
    pango_context_set_language(context, pango_language_from_string("es-mx"));
    pango_context_set_round_glyph_positions(context, FALSE);
    cairo_font_options_destroy(options);
    return context;
}

enum rc paper_fonts_open(const char *folder, const char *more, struct paper_fonts **fonts,
                         struct fault *fault)
{
    OWN_PTR(paper_fonts) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->config = FcConfigCreate();
    if (made->config == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    add_folder(made->config, folder);
    add_folder(made->config, more);
    if (!has_family(made->config, "Linux Libertine O") ||
        !has_family(made->config, "Linux Biolinum O")) {
        return refuse(fault, RC_FAILED_PRECONDITION, "paper.fonts", folder,
                      "Ahí no están Linux Libertine y Linux Biolinum (fonts-linuxlibertine).");
    }
    made->map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    if (made->map == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "paper.fonts", folder,
                      "Esta biblioteca de tipografía no lee ese formato.");
    }
    made->context = make_context(made);
    *fonts = MOVE(made);
    return RC_OK;
}

void paper_fonts_free(struct paper_fonts *fonts)
{
    if (fonts == NULL) {
        return;
    }
    if (fonts->context != NULL) {
        g_object_unref(fonts->context);
    }
    if (fonts->map != NULL) {
        g_object_unref(fonts->map);
    }
    if (fonts->config != NULL) {
        FcConfigDestroy(fonts->config);
    }
    free(fonts);
}

PangoContext *paper_fonts_context(struct paper_fonts *fonts)
{
    return fonts->context;
}
