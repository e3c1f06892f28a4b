/*
 * enlace - the command for partners' systems, officials, operators and auditors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"
#include "client/profile.h"
#include "client/session.h"
#include "client/spool.h"
#include "crypto/tlsconf.h"
#include "enlace/command.h"
#include "enlace/manual.h"

#define ARENA_MAX ((size_t)64 << 20)
#define COMMANDS_MAX 64

const struct command commands[] = {
    {"submit", "[ARCHIVO.json | -]", "envía un mensaje descrito en JSON y guarda su acuse",
     "  -            lo lee de la entrada estándar\n"
     "  --break-glass --reason CLAVE   urgente, sin esperar segunda aprobación ni ratificación;\n"
     "               lo firma quien responde, queda dicho a todos y se revisa en 24 horas\n"
     "  --reroute ID vuelve a pedir a quien es competente lo que en ID fue declinado\n"
     "  --dry-run    lo revisa sin enviarlo; con --with CARPETA (del directorio), revisión por\n"
     "               revisión y la línea que decide\n",
     cmd_submit},
    {"consult", "ARCHIVO.json", "hace una consulta a varias instituciones a la vez",
     "  El archivo es un mensaje Consultation con «recipients», una lista de objetos: lo que cada\n"
     "  uno diga (to, legal_basis, purpose, aviso) vale para esa institución. Cada una tiene su\n"
     "  propio intercambio, que vence con la sesión (expires_at)\n",
     cmd_consult},
    {"approve", "[ID]", "una segunda persona aprueba lo que espera; sin ID, qué espera",
     "  Se conecta con el certificado de quien aprueba, muestra el mensaje, y lo firma.\n"
     "  --yes        sin preguntar\n",
     cmd_approve},
    {"reject", "ID --reason CLAVE", "una segunda persona no lo aprueba: no sale", NULL, cmd_reject},
    {"review", "list | close ID --reason CLAVE",
     "lo que salió sin esperar, para que otra persona lo revise",
     "  Otra persona que la que no esperó, en 24 horas. La clave «uso-indebido» dice que no hacía\n"
     "  falta.\n",
     cmd_review},
    {"consent", "show|ratify|withdraw PERSONA", "lo que la persona consintió",
     "  PERSONA      el identificador con que la institución la conoce («local» en el mensaje)\n"
     "  ratify, withdraw --reference REF   dónde consta, hasta 64 caracteres\n"
     "  Tras un retiro no sale nada nuevo de ella; a quien ya recibió se le pide con «withdraw».\n",
     cmd_consent},
    {"veto", "list|add|remove PERSONA [DESTINO]", "a quién excluyó la persona",
     "  DESTINO      una institución, un sistema o una persona servidora pública:\n"
     "               cdmx/ssc, cdmx/ssc/system/adapter, cdmx/ssc/official/enlace-01\n"
     "  grant PERSONA OFICIAL   también ella o él lleva el caso\n"
     "  Lo declara quien lleva el caso, con su firma; a nadie más se le dice.\n",
     cmd_veto},
    {"inbox", "", "muestra lo que el nodo tiene para este sistema",
     "  --ack        lo toma: custodia (R2) de las solicitudes, acuse de lo demás\n"
     "  --urgent     sólo lo urgente;  --ordinary  sólo lo ordinario\n"
     "  --full       también los datos que vienen en claro y los sellados a este sistema\n"
     "  --follow     sigue esperando hasta Ctrl-C (requiere --urgent o --ordinary)\n"
     "  --save CARPETA  guarda cada mensaje como CARPETA/<id>.message, para «verify»\n"
     "  --wait MS    cuánto espera a que llegue algo (1000)\n"
     "  --from HOJA | --since INSTANTE  tras recuperar su base de un respaldo: otra vez lo que "
     "este\n"
     "               sistema ya había tomado desde ahí, marcado como repetido\n",
     cmd_inbox},
    {"act", "EVENTO ID", "da un paso: accept, decline, start, in-force, end, confirm, close …",
     "  ID           el intercambio, o el mensaje al que se responde\n"
     "  --item N     sólo esa medida (todas)\n"
     "  --reason C   motivo codificado (decline sin motivo los enumera);\n"
     "  --competent MIEMBRO  quién es competente, si el motivo es no-competente\n"
     "  --evidence ARCHIVO | --evidence-sha256 HUELLA   la evidencia (en vigor la exige)\n"
     "  --occurred-at FECHA   cuándo ocurrió, con zona: 2019-06-03T10:00:00-06:00\n"
     "  --told VÍA   se dijo antes por telefono, papel o persona: el plazo corre desde entonces\n",
     cmd_act},
    {"report", "ID --item N --occurrence N", "reporta una ocurrencia de una medida",
     "  --code C     código de la acción (el de la medida)\n"
     "  --evidence ARCHIVO | --evidence-sha256 HUELLA\n"
     "  --occurred-at FECHA\n",
     cmd_report},
    {"withdraw", "ID", "retira lo enviado: quien recibió los datos los suprime, o dice por qué no",
     "  --reason C   motivo codificado (revocacion-del-consentimiento)\n"
     "  --only       sólo ese intercambio; sin ella, todo lo enviado de las mismas personas\n"
     "  Se contesta con «act purge ID --evidence CONSTANCIA» o «act keep ID --reason C», "
     "firmados.\n",
     cmd_withdraw},
    {"track", "ID", "dice en qué va un intercambio", NULL, cmd_track},
    {"trace", "ID",
     "cada paso de un intercambio en los dos nodos, dónde está detenido y quién debe actuar", NULL,
     cmd_trace},
    {"board", "", "lo que está abierto, lo más apremiante primero; se renueva en una terminal",
     "  --once       una sola vez\n"
     "  --every S    cada cuántos segundos se renueva (10)\n"
     "  --member M   de otra institución que el nodo aloja (quien lo coordina)\n",
     cmd_board},
    {"receipt", "ID", "trae los acuses de un mensaje (R0, R1), los verifica y los guarda",
     "  -o ARCHIVO   dónde se guardan (sólo se muestran)\n"
     "  --witnessed  la prueba bajo un sello con el quórum de testigos de la policy del perfil\n"
     "  --person     la constancia que la persona se lleva: folio, plazos y cómo inconformarse; "
     "nada\n"
     "               más; --folio F  el folio en papel; --html ARCHIVO  también como página\n",
     cmd_receipt},
    {"verify", "QUÉ ARCHIVO…", "verifica acuses y bitácoras sin conexión y sin el nodo",
     "  receipt ARCHIVO        los acuses de un mensaje\n"
     "  log CARPETA            una bitácora exportada, completa\n"
     "  consistency ANTES AHORA  que una bitácora sólo creció (sellos o carpetas)\n"
     "  exchange A B           lo que dos partes guardan: acuses, o bitácoras con --records\n"
     "  bundle CARPETA         un expediente de evidencia («audit bundle»); --certificate PEM de "
     "quien\n"
     "                         lo hizo, --tsa PEM de la autoridad de sellos de tiempo\n"
     "  oficio TEXTO|ARCHIVO|-  lo que dice el código QR de un oficio impreso; --certificate PEM "
     "de\n"
     "                         quien lo imprimió, --receipt ARCHIVO el acuse que lo acompaña\n"
     "  --vkey LLAVE       llave de la bitácora; varias veces; sin ella, las del perfil\n"
     "  --policy ARCHIVO   bitácoras, testigos y quórum (C2SP tlog-policy); exige el quórum; sin\n"
     "                     ella, la policy del perfil\n"
     "  --unwitnessed      acepta sin quórum, y lo dice\n"
     "  --own TESTIGO      testigo de la misma institución: no cuenta; varias veces\n"
     "  --fresh SEGUNDOS   no cuentan firmas de testigos más viejas\n"
     "  --tolerance SEGUNDOS  entre relojes (600)\n"
     "  --checkpoint ARCHIVO  un sello que usted recuerda; varias veces\n"
     "  --exchange ID      sólo ese intercambio\n"
     "  --succession ARCHIVO --authorities ARCHIVO  la declaración por la que una bitácora "
     "sucedió\n"
     "                     a otra, y quiénes la firman: revoca lo posterior al último sello bueno\n"
     "  --message ARCHIVO  además, que el acuse sea de ese mensaje (de «inbox --save»)\n"
     "  Termina con 0 si verifica, 1 si no, 2 si algo no se entiende. «enlace-verify» hace lo\n"
     "  mismo donde no hay nada más instalado.\n",
     cmd_verify},
    {"log", "QUÉ …", "copia una bitácora, rehace su índice, o empieza una nueva época de ella",
     "  export CARPETA --purpose C   la bitácora del nodo (C2SP tlog-tiles), verificándola; al\n"
     "                    repetir, continúa\n"
     "    --purpose C       para qué se lee; queda en la bitácora al terminar\n"
     "    --audit ARCHIVO   en su lugar, una auditoría abierta (de «audit open»)\n"
     "    --entries         también las hojas: sólo para quien audita\n"
     "    --records         también los registros de auditoría (incluye --entries)\n"
     "    --policy ARCHIVO  se guarda al lado\n"
     "  seen ORIGEN -O ARCHIVO       el último sello de esa bitácora que vio este nodo\n"
     "  succeed ARCHIVO   escribe la declaración de sucesión, sin firmas\n"
     "    --node RED/NODO --cause lost-disk|stolen-key|year --epoch N\n"
     "    --checkpoint ARCHIVO  el último sello bueno de la anterior (log seen)\n"
     "    --old-key VKEY        su llave, como está en el directorio\n"
     "    --log-key PEM --origin NOMBRE   la llave y el nombre de la nueva\n"
     "    --leaves N            hojas que se sabe que tuvo la anterior (las del sello)\n"
     "    --begun FECHA         desde cuándo (ahora)\n"
     "  sign ARCHIVO --key PEM --name NOMBRE [-O ARCHIVO]   la firma una autoridad\n"
     "  statement ARCHIVO --authorities ARCHIVO   la muestra y dice si vale\n"
     "  vkey --key PEM --name NOMBRE   la llave pública, en una línea\n"
     "  reindex [--status]   el nodo rehace su índice y dice si el anterior era el mismo\n"
     "  prune --before HOJA|FECHA -o ARCHIVO --basis CLAVE --reason CLAVE   orden de depurar\n"
     "                    registros viejos; luego prune sign, send, status, como en «erase»\n"
     "  gap CARPETA       de una bitácora exportada con --records: qué no volvió de la anterior\n",
     cmd_log},
    {"directory", "VERBO …", "el directorio de una red: new, edit, check, sign, diff, publish",
     "  new RED                        un texto para empezar\n"
     "  edit NOTA -o TEXTO             la versión siguiente, en $EDITOR; luego la revisa\n"
     "  check ARCHIVO… [--with CARPETA]  dice si se entiende, con línea y remedio\n"
     "  sign ARCHIVO --key LLAVE --name NOMBRE -o NOTA   agrega una firma\n"
     "  diff ANTES DESPUÉS             lo que cambia, como un decreto\n"
     "  publish NOTA… --to CARPETA     junta las firmas y lo pone en vigor; se niega si faltan,\n"
     "                                 si la versión no es mayor o si nadie conoce las llaves\n",
     cmd_directory},
    {"route", "explain ARCHIVO.json --with CARPETA",
     "dice, revisión por revisión, por qué pasaría o no, y la línea que lo decide", NULL,
     cmd_route},
    {"enrol", "VERBO …", "da de alta un sistema o una persona: de las llaves al eco",
     "  request --kind system|official|auditor|node --network RED --member CLAVE [--name NOMBRE] "
     "CARPETA\n"
     "                   hace las llaves donde van a vivir, y la solicitud para la autoridad\n"
     "  sign SOLICITUD.csr --ca CA.pem --ca-key CA.key   la autoridad ve lo que va a firmar y lo "
     "firma\n"
     "  install CERTIFICADO.pem CARPETA [--ca CA.pem]    revisa lo que llegó y lo pone en su "
     "lugar\n"
     "  connect CARPETA --with TEXTOS -o PERFIL [--official CARPETA]\n"
     "                   escribe el perfil según el directorio, y prueba todo hasta el eco\n"
     "  En una página: deploy/alta.md.\n",
     cmd_enrol},
    {"doctor", "[--with CARPETA]", "dice por qué no se puede: paso por paso, con su remedio",
     "  Nombre, red, TLS, certificados, directorio, reloj y eco del nodo de este perfil.\n"
     "  --with CARPETA   además, con una copia de los textos del directorio: ¿es el del nodo? ¿hay "
     "rutas?\n"
     "  CERTIFICADO.pem --ca ARCHIVO --with CARPETA\n"
     "                   si los nodos aceptarán el certificado siguiente, antes de ponerlo\n",
     cmd_doctor},
    {"roster", "VERBO …", "el registro de una institución: los mismos verbos",
     "  new RED/CLAVE, y lo demás como en «directory»; lo firma la institución\n", cmd_directory},
    {"suspend", "VERBO …", "saca de vigor de inmediato: new, sign, check, publish",
     "  new RED EMISOR TIPO ID MOTIVO  TIPO: member, node, system, official, auditor, "
     "certificate;\n"
     "                                 EMISOR: el nombre de la llave que firma\n"
     "  Basta una autoridad, o la institución para lo suyo. La levantan k autoridades: «lift\n"
     "  HUELLA» en el texto de la red.\n",
     cmd_directory},
    {"audit", "QUÉ …", "pregunta a la bitácora del nodo, y verifica cada respuesta aquí",
     "  open --purpose C -o ARCHIVO   abre una auditoría; su propósito se publica al cerrarla\n"
     "  query --audit ARCHIVO         registros; con --from y --to FECHA, --member M, --route R,\n"
     "                                --kind CLASE, --exchange ID\n"
     "  request --audit ARCHIVO --person ID --holder MIEMBRO -o PETICIÓN   sobre una persona;\n"
     "                                con --tag-key, también la llave de sus etiquetas\n"
     "  approve PETICIÓN              la firma la segunda persona servidora pública\n"
     "  person PETICIÓN               a quién se dieron sus datos: cuándo, qué, para qué, con qué\n"
     "                                fundamento\n"
     "  rescan PETICIÓN CARPETA       mira todas las hojas de una copia («log export --entries»)\n"
     "                                y dice si a la respuesta le falta alguna\n"
     "  bundle --audit ARCHIVO --exchange ID -o CARPETA [--with TEXTOS]\n"
     "                                un expediente para un juzgado: hojas, registros, pruebas,\n"
     "                                sello con testigos, directorio, PDF e instrucciones; se\n"
     "                                verifica sin red: «verify bundle»\n"
     "  stamp CARPETA --answer TSR --tsa PEM   agrega el sello de tiempo (RFC 3161)\n"
     "  close ARCHIVO                 cierra la auditoría\n"
     "  --mine                        lo que guarda este sistema, contra lo que la bitácora tiene "
     "de\n"
     "                                él: qué falta aquí, qué falta allá, qué es distinto\n"
     "  Termina con 0, con 1 si algo se rechaza o no se prueba, 2 si no se entiende.\n",
     cmd_audit},
    {"status", "", "cómo está el nodo, y qué requiere atención (para quien lo opera o coordina)",
     "  Termina con 0 si nada urge, con 1 si algo requiere atención ahora.\n", cmd_status},
    {"ping", "", "pregunta al nodo quién es y quién soy", NULL, cmd_ping},
    {"put", "ARCHIVO --to MIEMBRO", "envía un anexo; si se interrumpe, continúa",
     "  --id UUID    el identificador que lleva el mensaje (uno nuevo)\n", cmd_put},
    {"get", "ID -o ARCHIVO", "trae un anexo; si se interrumpió, continúa",
     "  --sha256 HUELLA  la que anuncia el mensaje\n", cmd_get},
    {"erase", "new|sign|send|status …", "supresión ordenada por dos personas servidoras públicas",
     "  new -o ARCHIVO --basis CLAVE --reason CLAVE, y una de:\n"
     "      --message UUID [--compartment NOMBRE [--subject N]]   un mensaje, o una de sus partes\n"
     "      --exchange UUID       todo lo que la institución guarda de un intercambio\n"
     "      --person UUID         una persona; se repite por cada identificador con que se conoce\n"
     "      --attachment UUID     además, un anexo que solo nombra una parte sellada\n"
     "  sign ARCHIVO   muestra la orden y la firma; cada quien en su máquina\n"
     "  send ARCHIVO   la entrega al nodo: se bloquea al recibirla\n"
     "  status UUID    en qué va\n",
     cmd_erase},
    {"hold", "new|lift|sign|send|status …", "retención legal de la autoridad auditora",
     "  new -o ARCHIVO --member INSTITUCIÓN --basis CLAVE --reason CLAVE\n"
     "      [--message UUID | --exchange UUID]   sin ninguno: todo lo de la institución\n"
     "  lift RETENCIÓN -o ARCHIVO --member INSTITUCIÓN --basis CLAVE --reason CLAVE\n"
     "  sign, send, status: como en «erase»\n",
     cmd_hold},
    {"blocked", "UUID --member I --purpose CLAVE -o ARCHIVO",
     "la autoridad lee un mensaje bloqueado; queda en la bitácora", NULL, cmd_blocked},
    {"parcel", "export|import …", "lo que un nodo debe a otro, por archivo, cuando no hay enlace",
     "  export NODO ARCHIVO --certificate C   lo que se le debe, cifrado para él;\n"
     "                    C: el certificado de ese nodo, que da quien lo opera\n"
     "  import ARCHIVO --certificate C -o RESPUESTA       lo que trajo otro nodo; C: el suyo.\n"
     "                    La respuesta se lleva de vuelta y se importa allá\n"
     "  Sólo para quien opera el nodo. Repetir un archivo no duplica nada.\n",
     cmd_parcel},
    {"duty", "VERBO …", "a quién se despierta, para qué, y su respuesta",
     "  new RED/CLAVE                  un rol de guardias para empezar\n"
     "  check ARCHIVO                  dice si se entiende y cubre toda la semana\n"
     "  sign ARCHIVO --key LLAVE --name NOMBRE -o NOTA   lo firma la llave del registro\n"
     "  publish NOTA --with DIRECTORIO --to CARPETA      lo pone donde lo lee el nodo\n"
     "  list [--over]                  lo pendiente de la institución, o lo terminado\n"
     "  ack NÚMERO                     lo atiendo: con la firma del perfil\n"
     "  review NÚMERO --justified | --misuse   cierra la revisión de algo dispensado\n"
     "  urgency                        cómo se usó la urgencia, por día\n",
     cmd_duty},
    {"backup", "log|vault CARPETA AJUSTES",
     "respaldo de la bitácora o de la bóveda de un nodo detenido",
     "  AJUSTES  el archivo con que arranca enlaced\n"
     "  La bitácora y la bóveda nunca van juntas: a cada una, su medio.\n",
     cmd_backup},
    {"restore", "log|vault CARPETA AJUSTES", "pone un respaldo donde no hay nada", NULL,
     cmd_backup},
    {"console", "", "abre la página local: bitácora, bandeja, plazos, red, informes, directorio",
     "  --port N       en qué puerto de esta máquina (7470; 0: cualquiera)\n"
     "  --audit ARCHIVO  la auditoría a la que pertenecen sus lecturas (junto al perfil)\n"
     "  --with CARPETA   los textos firmados del directorio, para formularios y comparaciones\n"
     "  --seals CARPETA  certificados de sello (PEM) de quienes reciben lo que viaja sellado\n"
     "  Sale con 1 si el nodo mostró algo que no pudo probar.\n",
     cmd_console},
    {"resend", "", "envía lo que quedó sin acuse en la carpeta de este perfil", NULL, cmd_resend},
    {NULL, NULL, NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
    fputs("Uso: enlace --profile ARCHIVO [--json] ORDEN …\n\n"
          "  --profile ARCHIVO  quién soy y con qué nodo hablo (o ENLACE_PROFILE)\n"
          "  --json             respuesta para programas\n"
          "  --help-settings    qué lleva un perfil\n"
          "  --manual           la página de manual, para man\n"
          "  --completion bash|fish  lo que completa el tabulador\n\n",
          out);
    for (const struct command *command = commands; command->name != NULL; command++) {
        fprintf(out, "  %-8s %-28s %s\n", command->name, command->arguments, command->summary);
    }
    fputs("\n«enlace ORDEN --help» muestra sus opciones.\n", out);
}

static void print_command(const struct command *command)
{
    printf("Uso: enlace --profile ARCHIVO %s %s\n  %s\n%s", command->name, command->arguments,
           command->summary, command->details != NULL ? command->details : "");
}

static const struct command *find_command(const char *name)
{
    const struct command *command = commands;

    while (command->name != NULL && strcmp(command->name, name) != 0) {
        command++;
    }
    return command->name != NULL ? command : NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_MAX];
    const char *nearest;
    size_t count = 0;

    for (; commands[count].name != NULL && count + 1 < COMMANDS_MAX; count++) {
        names[count] = commands[count].name;
    }
    names[count] = NULL;
    nearest = conf_nearest(name, names);
    fprintf(stderr, "enlace: no hay una orden «%s»", name);
    if (nearest != NULL) {
        fprintf(stderr, "; ¿quiso decir «%s»?", nearest);
    }
    fputs("\nVea «enlace --help».\n", stderr);
    return EXIT_USAGE;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    const struct command *command = find_command(argv[0]);

    if (command == NULL) {
        return unknown_command(argv[0]);
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_command(command);
            return EXIT_DONE;
        }
    }
    if (tlsconf_require_tls13() != RC_OK) {
        return EXIT_FAILED;
    }
    return command->run(cli, argc, argv);
}

static void cli_release(struct cli *cli)
{
    session_free(cli->session);
    spool_free(cli->spool);
    profile_free(cli->profile);
    arena_free(cli->arena);
}

int main(int argc, char **argv)
{
    const char *from_environment = getenv("ENLACE_PROFILE");
    OWN(cli) cli = {.profile_path = from_environment};
    int at = 1;

    log_open("enlace", LOG_LEVEL_WARN);
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--profile") == 0 && at + 1 < argc) {
            cli.profile_path = argv[++at];
        } else if (strcmp(argv[at], "--json") == 0) {
            cli.is_json = true;
        } else if (strcmp(argv[at], "--manual") == 0) {
            manual_print_page(stdout);
            return EXIT_DONE;
        } else if (strcmp(argv[at], "--completion") == 0 && at + 1 < argc &&
                   manual_print_completion(argv[at + 1], stdout)) {
            return EXIT_DONE;
        } else if (strcmp(argv[at], "--help-settings") == 0) {
            conf_print(profile_rows, stdout);
            return EXIT_DONE;
        } else {
            bool is_help = strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0;

            print_help(is_help ? stdout : stderr);
            return is_help ? EXIT_DONE : EXIT_USAGE;
        }
    }
    if (at == argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    cli.arena = arena_new(ARENA_MAX);
    return cli.arena != NULL ? run_command(&cli, argc - at, argv + at) : EXIT_FAILED;
}
