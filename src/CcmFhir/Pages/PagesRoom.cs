using CcmFhir.Access;
using CcmFhir.Functions;
using CcmFhir.Options;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The pages: made on the server, without script. In development mode they are open to this machine; otherwise they ask for a session
/// of somebody signed in, or a token that may read what they show.</summary>
internal static class PagesRoom
{
    /// <summary>Largest form that is read, in bytes.</summary>
    public const int MaxForm = 24 * 1024 * 1024;

    // No script but our own files, no style but our own sheet, no other host, in nobody's frame.
    private const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Adds what they need.</summary>
    public static void AddPages(this WebApplicationBuilder builder, Practices practices, TimeProvider clock)
    {
        builder.AddSignIn(practices, clock);
        builder.Services.AddRazorComponents();
        builder.Services.AddSingleton<MonthBoard>();
        // An instance behind the Functions host is paid by the second and may never show a page.
        if (!FunctionsHost.StartedUs(builder.Configuration))
        {
            builder.Services.AddSingleton<BoardWarming>();
            builder.Services.AddHostedService(services => services.GetRequiredService<BoardWarming>());
        }
        builder.Services.AddSingleton<MonthTrend>();
        builder.Services.AddSingleton<MonthPages>();
        builder.Services.AddSingleton<AuditPages>();
        builder.Services.AddSingleton<StartPages>();
        builder.Services.AddSingleton<CloseJobs>();
        builder.Services.AddSingleton<ClosePages>();
        builder.Services.AddSingleton<LabPages>();
    }

    /// <summary>Adds the routes.</summary>
    public static void MapPages(this WebApplication app)
    {
        app.UseSignIn();
        var pages = app.MapGroup("").AddEndpointFilter(FrameAsync);
        pages.MapSignIn();
        pages.MapGet("/", (HttpContext http, StartPages start) => start.ShowAsync(http));
        pages.MapGet(
            "/{practice}/months/{month}",
            (HttpContext http, MonthPages months, string practice, string month) =>
                months.WorklistAsync(http, practice, month)
        );
        pages.MapGet(
            "/{practice}/months/{month}/close",
            (HttpContext http, ClosePages close, string practice, string month) =>
                close.PreviewAsync(http, practice, month)
        );
        pages.MapPost(
            "/{practice}/months/{month}/close",
            (HttpContext http, ClosePages close, string practice, string month) =>
                close.BeginAsync(http, practice, month)
        );
        pages.MapGet(
            "/{practice}/months/{month}/close/{job}",
            (HttpContext http, ClosePages close, string practice, string month, string job) =>
                close.ResultAsync(http, practice, month, job)
        );
        pages.MapGet(
            "/{practice}/patients/{id}/{month}",
            (HttpContext http, MonthPages months, string practice, string id, string month) =>
                months.PatientAsync(http, practice, id, month)
        );
        pages.MapGet(
            "/{practice}/patients/{id}/{month}/audit",
            (HttpContext http, AuditPages audit, string practice, string id, string month) =>
                audit.ShowAsync(http, practice, id, month)
        );
        pages.MapGet("/lab", (HttpContext http, LabPages lab) => lab.ShowAsync(http));
        pages.MapGet("/lab/profiles/{id}", (HttpContext http, LabPages lab, string id) => lab.ProfileAsync(http, id));
        pages.MapPost("/lab", (HttpContext http, LabPages lab) => lab.ValidateAsync(http));
        app.MapGet("/assets/{name}", Asset);
    }

    /// <summary>A page that says what is the matter.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="heading">What, in a few words.</param>
    /// <param name="explanation">Why, and what would be right.</param>
    /// <param name="way">What to do: text and address of a link.</param>
    public static IResult Problem(
        int status,
        string heading,
        string explanation,
        (string Text, string Address)? way = null
    ) =>
        new RazorComponentResult<ProblemPage>(
            new Dictionary<string, object?>
            {
                ["Heading"] = heading,
                ["Explanation"] = explanation,
                ["Way"] = way,
            }
        )
        {
            StatusCode = status,
        };

    // Headers, the frame around the page, and for forms the proof that they come from a page of ours.
    private static async ValueTask<object?> FrameAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var http = context.HttpContext;
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        var antiforgery = http.RequestServices.GetRequiredService<IAntiforgery>();
        var user = await http.RequestServices.GetRequiredService<PageGate>().UserAsync(http);
        http.Items[typeof(PageFrame)] = new PageFrame(
            http.RequestServices.GetRequiredService<AccessSettings>().Open,
            user,
            antiforgery.GetAndStoreTokens(http).RequestToken ?? ""
        );
        headers.CacheControl = "no-store";
        var result = HttpMethods.IsPost(http.Request.Method) ? await PostedAsync(http, antiforgery) : null;
        result ??= await next(context);
        return PageTrail.Note(http, result)
            ? result
            : Problem(
                503,
                "Nothing can be shown just now",
                "Every look at a patient's data is written down first, and that cannot be done at the moment. Try again in a minute; if it stays so, tell whoever looks after the server."
            );
    }

    private static async Task<object?> PostedAsync(HttpContext http, IAntiforgery antiforgery) =>
        await ReadFormAsync(http) is { } tooMuch ? tooMuch
        : await antiforgery.IsRequestValidAsync(http) ? null
        : Problem(
            400,
            "This form is too old",
            "The page was opened before your session began, in another window, or on another site. Nothing was done. Go back, load the page again, and send it once more."
        );

    private static async Task<IResult?> ReadFormAsync(HttpContext http)
    {
        try
        {
            http.Features.Set<IFormFeature>(
                new FormFeature(
                    http.Request,
                    new FormOptions
                    {
                        BufferBodyLengthLimit = MaxForm,
                        MultipartBodyLengthLimit = MaxForm,
                        ValueLengthLimit = MaxForm,
                        KeyLengthLimit = 64,
                        ValueCountLimit = 2048,
                    }
                )
            );
            await http.Request.ReadFormAsync(http.RequestAborted);
            return null;
        }
        catch (InvalidDataException fault) when (!fault.Message.Contains("limit", StringComparison.Ordinal))
        {
            return Problem(
                400,
                "This form cannot be read",
                "What was sent holds characters that no text has, such as NUL. FHIR is UTF-8 text: paste the text of the resource, or choose its file.",
                ("Back to the bench", "/lab")
            );
        }
        catch (Exception fault) when (fault is InvalidDataException or BadHttpRequestException)
        {
            return Problem(
                413,
                "That is too much for one page",
                "A page takes up to about 20 MB at once. For larger files and folders use 'ccmfhir validate' at a prompt: it has no such limit and shows progress.",
                ("Back to the bench", "/lab")
            );
        }
        catch (InvalidOperationException)
        {
            return Problem(
                415,
                "This is no form",
                "What was sent is not the form of one of our pages. To send FHIR by a program, use the interface below /{practice}/fhir."
            );
        }
    }

    private static IResult Asset(HttpContext http, string name)
    {
        var type = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".js" => "text/javascript; charset=utf-8",
            _ => null,
        };
        var stream = type is null
            ? null
            : typeof(PagesRoom).Assembly.GetManifestResourceStream($"CcmFhir.Pages.Assets.{name}");
        if (stream is null)
        {
            return Results.NotFound();
        }
        http.Response.Headers.CacheControl = "public, max-age=3600";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(stream, type);
    }
}
