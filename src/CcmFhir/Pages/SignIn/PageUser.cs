namespace CcmFhir.Pages;

/// <summary>What a person does in the practice.</summary>
[Flags]
internal enum PageRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Looks after patients: worklist and patients' months.</summary>
    CareManager = 1,

    /// <summary>Bills: what a care manager sees, and closes months.</summary>
    Biller = 2,

    /// <summary>Looks after interfaces: the bench, no patient.</summary>
    Analyst = 4,

    /// <summary>Everything.</summary>
    Admin = 8,
}

/// <summary>What a page asks of who looks at it.</summary>
internal enum PageRight
{
    /// <summary>Somebody of a practice: start page and bench.</summary>
    Enter,

    /// <summary>One patient's data.</summary>
    SeePatient,

    /// <summary>The practice's months.</summary>
    SeeMonth,

    /// <summary>Issue claims.</summary>
    CloseMonth,
}

/// <summary>Who looks at a page.</summary>
/// <param name="Name">For the page's head; empty for nobody in particular.</param>
/// <param name="Practice">Slug of the practice; null for every practice (development mode).</param>
/// <param name="Roles">What they do there.</param>
/// <param name="OnlyPatient">Logical id of the one patient they may see; null for all.</param>
/// <param name="ByCookie">Signed in here, so that there is something to sign out of.</param>
internal sealed record PageUser(
    string Name,
    string? Practice,
    PageRoles Roles,
    string? OnlyPatient = null,
    bool ByCookie = false
)
{
    /// <summary>Who they are at their authority, as the audit trail has it; null where that is not known.</summary>
    public string? Id { get; init; }

    /// <summary>Development mode: whoever sits at this machine.</summary>
    public static PageUser Development { get; } = new("", null, PageRoles.Admin);

    /// <summary>Whether they may.</summary>
    /// <param name="right">What.</param>
    /// <param name="practice">Where; null for nowhere in particular.</param>
    /// <param name="patient">Whose; null for nobody in particular.</param>
    public bool May(PageRight right, string? practice, string? patient = null) =>
        (practice is null || Practice is null || practice == Practice)
        && (OnlyPatient is null || (right == PageRight.SeePatient && patient == OnlyPatient))
        && (
            right switch
            {
                PageRight.Enter => PageRoles.CareManager | PageRoles.Biller | PageRoles.Analyst | PageRoles.Admin,
                PageRight.SeePatient or PageRight.SeeMonth => PageRoles.CareManager
                    | PageRoles.Biller
                    | PageRoles.Admin,
                _ => PageRoles.Biller | PageRoles.Admin,
            } & Roles
        ) != PageRoles.None;
}

/// <summary>What the frame around a page shows.</summary>
/// <param name="Development">The server answers without sign-in, and says so.</param>
/// <param name="User">Who looks; null for nobody known.</param>
/// <param name="FormToken">Goes into every form that is posted.</param>
internal sealed record PageFrame(bool Development, PageUser? User, string FormToken)
{
    /// <summary>Name of the form field with the token.</summary>
    public const string TokenField = "form-token";

    /// <summary>The frame of a request.</summary>
    public static PageFrame Of(HttpContext? http) =>
        http?.Items[typeof(PageFrame)] as PageFrame ?? new(false, null, "");
}
