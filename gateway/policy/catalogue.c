#include "policy/catalogue.h"

#include <string.h>

/* In strcmp order of code: looked up by halves. */
static const struct catalogue_entry entries[] = {
    {"ATN-GEN", "atención y canalización", CLASS_REFERRAL, "any"},
    {"CAN-DIF-INT", "atención integral", CLASS_REFERRAL, "dif"},
    {"CAN-EMP-SDE", "Seguro de Desempleo", CLASS_REFERRAL, "styfe"},
    {"CAN-MES-INT", "mesa interinstitucional", CLASS_REFERRAL, "secgob"},
    {"CAN-PSI", "atención psicológica", CLASS_REFERRAL, "sedesa"},
    {"CAN-SAL-CLI", "clínica", CLASS_REFERRAL, "sedesa"},
    {"CAN-SAL-CSA", "centro de salud", CLASS_REFERRAL, "sedesa"},
    {"CAN-SAL-HOS", "hospital", CLASS_REFERRAL, "sedesa"},
    {"FED-APO", "apoyo a casos del Mecanismo Federal", CLASS_SUPPORT, "mpi-cdmx segob"},
    {"FED-PRE-AUT", "cursos de autoprotección", CLASS_FEDERAL_PREVENTIVE, "segob"},
    {"FED-PRE-INS", "instructivos", CLASS_FEDERAL_PREVENTIVE, "segob"},
    {"FED-PRE-MAN", "manuales", CLASS_FEDERAL_PREVENTIVE, "segob"},
    {"FED-PRE-OBS", "acompañamiento de observadores", CLASS_FEDERAL_PREVENTIVE, "segob"},
    {"FED-PRO-BLI", "autos blindados", CLASS_FEDERAL_PROTECTION, "segob"},
    {"FED-PRO-CAM", "cámaras, cerraduras y luces", CLASS_FEDERAL_PROTECTION, "segob"},
    {"FED-PRO-CHA", "chalecos antibalas", CLASS_FEDERAL_PROTECTION, "segob"},
    {"FED-PRO-COM", "comunicación celular, radio o satelital", CLASS_FEDERAL_PROTECTION, "segob"},
    {"FED-PRO-DET", "detector de metales", CLASS_FEDERAL_PROTECTION, "segob"},
    {"FED-URG-ESC", "escoltas", CLASS_FEDERAL_URGENT, "segob"},
    {"FED-URG-EVA", "evacuación", CLASS_FEDERAL_URGENT, "segob"},
    {"FED-URG-INM", "protección de inmuebles", CLASS_FEDERAL_URGENT, "segob"},
    {"FED-URG-REU", "reubicación temporal", CLASS_FEDERAL_URGENT, "segob"},
    {"PRO-COD-VIG", "códigos de vigilancia", CLASS_PROTECTION, "ssc"},
    {"PRO-JUR-CAR", "asesoría para apertura y seguimiento de carpetas", CLASS_PROTECTION, "pgj"},
    {"PRO-NUM-EME", "disposición de números de emergencia", CLASS_PROTECTION, "c5 ssc"},
    {"PRO-PSI-CRI", "intervención en crisis", CLASS_PROTECTION, "sedesa dif ceavi"},
    {"PRO-PSI-SEG", "atención psicológica", CLASS_PROTECTION, "sedesa dif ceavi"},
    {"PRO-TES-SUP", "acompañamiento y visitas de testigos supervisores", CLASS_PROTECTION,
     "mpi-cdmx"},
    {"PRV-ACO-PRE", "acompañamiento presencial", CLASS_PREVENTION, "mpi-cdmx"},
    {"PRV-MON-TEL", "monitoreo telefónico 24/7", CLASS_PREVENTION, "mpi-cdmx"},
    {"SOC-CAN-ALI", "canasta alimentaria", CLASS_SOCIAL, "mpi-cdmx saf"},
    {"SOC-CAN-NAL", "canasta no alimentaria", CLASS_SOCIAL, "mpi-cdmx saf"},
    {"SOC-REN-INM", "renta de inmuebles", CLASS_SOCIAL, "mpi-cdmx saf"},
    {"URG-INM-REF", "reforzamiento de seguridad en inmuebles", CLASS_URGENT, "mpi-cdmx ssc"},
};

#define ENTRIES (sizeof entries / sizeof entries[0])

const struct catalogue_entry *catalogue_entries(size_t *count)
{
    *count = ENTRIES;
    return entries;
}

const struct catalogue_entry *catalogue_find(const char *code)
{
    size_t low = 0;
    size_t high = ENTRIES;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(entries[middle].code, code);

        if (order == 0) {
            return &entries[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *catalogue_class_name(enum catalogue_class class)
{
    static const char *const names[CLASSES] = {
        "",
        "protección urgente",
        "prevención",
        "social",
        "protección",
        "canalización",
        "apoyo al Mecanismo Federal",
        "urgente federal",
        "protección federal",
        "preventiva federal",
    };

    return names[class];
}

bool catalogue_class_fits(enum catalogue_class class, enum message_type type)
{
    switch (type) {
    case MESSAGE_REFERRAL:
        return class == CLASS_REFERRAL || class == CLASS_SUPPORT;
    case MESSAGE_MEASURE_REQUEST:
        return class != CLASS_NONE && class != CLASS_REFERRAL;
    case MESSAGE_SUPPORT_REQUEST:
        return class == CLASS_SUPPORT || class == CLASS_FEDERAL_URGENT ||
               class == CLASS_FEDERAL_PROTECTION || class == CLASS_FEDERAL_PREVENTIVE;
    default:
        return class != CLASS_NONE;
    }
}

const char *alcaldia_name(const char *code)
{
    static const char *const names[] = {
        "Azcapotzalco",
        "Coyoacán",
        "Cuajimalpa de Morelos",
        "Gustavo A. Madero",
        "Iztacalco",
        "Iztapalapa",
        "La Magdalena Contreras",
        "Milpa Alta",
        "Álvaro Obregón",
        "Tláhuac",
        "Tlalpan",
        "Xochimilco",
        "Benito Juárez",
        "Cuauhtémoc",
        "Miguel Hidalgo",
        "Venustiano Carranza",
    };
    int number;

    if (strlen(code) != 5 || memcmp(code, "090", 3) != 0 || code[3] < '0' || code[3] > '1' ||
        code[4] < '0' || code[4] > '9') {
        return NULL;
    }
    number = (code[3] - '0') * 10 + code[4] - '0';
    return number >= 2 && number <= 17 ? names[number - 2] : NULL;
}
