using System.Text.Json;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Options;

namespace CcmFhir.Ehr;

/// <summary>The shapes in which a claim can get into an EHR.</summary>
internal enum DeliveryShape
{
    /// <summary>Whatever the EHR's CapabilityStatement allows, in the order of the other members.</summary>
    Auto,

    /// <summary><c>POST Claim</c>.</summary>
    Claim,

    /// <summary><c>POST Claim/$submit</c>; the answer is a ClaimResponse.</summary>
    Submit,

    /// <summary>A transaction Bundle: the Claim with what it refers to that the EHR lacks.</summary>
    Transaction,

    /// <summary>A ChargeItem for each line of the claim.</summary>
    ChargeItem,

    /// <summary>A DocumentReference that carries the claim.</summary>
    Document,

    /// <summary>An 837 file in a folder, for a clearinghouse; nothing is asked of the EHR. Never chosen by itself.</summary>
    File,
}

/// <summary>How references of a claim become references of the EHR.</summary>
internal enum ReferenceMapping
{
    /// <summary>Each is searched at the EHR by the identifiers that we know; none or several found is refused, never guessed.</summary>
    ByIdentifier,

    /// <summary>Our ids are the EHR's own (it brought its resources by PUT, or as a collection): references go out as they are.</summary>
    SameIds,
}

/// <summary>The <c>ehr</c> part of a practice file: where the practice's EHR is, and how it wants to be spoken to. Immutable.</summary>
internal sealed record EhrConnection
{
    private static readonly Uri NoServer = new("https://ehr.invalid");

    /// <summary>No FHIR server: for a practice without EHR, or whose claims go out as files.</summary>
    public static EhrConnection None { get; } = new() { BaseUrl = NoServer };

    /// <summary>There is a FHIR server that can be asked.</summary>
    public bool HasServer => BaseUrl != NoServer;

    /// <summary>FHIR base URL, without a slash at its end. https, except on the loopback interface.</summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>How claims are delivered.</summary>
    public DeliveryShape Shape { get; init; } = DeliveryShape.Auto;

    /// <summary>How references are mapped.</summary>
    public ReferenceMapping References { get; init; } = ReferenceMapping.ByIdentifier;

    /// <summary>False where the EHR declares conditional create and does not keep to it: then a search goes before every try.</summary>
    public bool TrustConditionalCreate { get; init; } = true;

    /// <summary>Look once at each delivered claim after <see cref="Settle"/>, so that one that the EHR forgot goes out again.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>How we prove who we are.</summary>
    public EhrAuthorization Authorization { get; init; } = EhrAuthorization.None;

    /// <summary>Requests at once, 1 or more.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>Requests in a minute at most; 0 for no limit.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>How long one request may take, its answer included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a request whose answer was lost may still be at work inside the EHR: only after it does a search prove that
    /// the claim did not arrive.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Pause before the second try; it doubles with each further try.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause between tries.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromHours(6);

    /// <summary>How long an EHR is left alone after some faults in a row; it doubles while the faults go on, up to fifteen minutes.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>PKCS#12 or PEM file with our certificate and key for mutual TLS; null for none.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>Where the password of <see cref="ClientCertificate"/> comes from (<c>env:NAME</c> or <c>file:PATH</c>); null for none.</summary>
    public string? ClientCertificatePassword { get; init; }

    /// <summary>PEM file with the certificate authorities that alone are trusted for this EHR; null for the machine's own.</summary>
    public string? TrustedCertificates { get; init; }

    /// <summary>How changes are read from it; null for only when notifications name them.</summary>
    public PullSettings? Pull { get; init; }

    /// <summary>Where the secret comes from that the EHR's subscriptions bring as <c>Authorization: Bearer</c> (<c>env:NAME</c> or <c>file:PATH</c>); null
    /// where they bring a token.</summary>
    public string? NotifySecret { get; init; }

    /// <summary>Reads the <c>ehr</c> property of a practice file.</summary>
    /// <param name="ehr">The object.</param>
    /// <param name="folder">Folder of the practice file: relative paths start there.</param>
    /// <exception cref="InvalidDataException">A property is unknown or cannot be understood; the message says which and what would be right.</exception>
    public static EhrConnection Read(JsonElement ehr, string folder)
    {
        var settings = new SettingsObject(ehr, "ehr");
        var shape = settings.Word(
            "deliver",
            DeliveryShape.Auto,
            ("auto", DeliveryShape.Auto),
            ("claim", DeliveryShape.Claim),
            ("submit", DeliveryShape.Submit),
            ("transaction", DeliveryShape.Transaction),
            ("charge-item", DeliveryShape.ChargeItem),
            ("document", DeliveryShape.Document),
            ("file", DeliveryShape.File)
        );
        var connection = new EhrConnection
        {
            BaseUrl =
                settings.Text("baseUrl") is { } address ? settings.Address("baseUrl", address)
                : shape == DeliveryShape.File ? NoServer
                : throw settings.Wrong("baseUrl", "is missing: the EHR's FHIR base URL"),
            Shape = shape,
            References = settings.Word(
                "references",
                ReferenceMapping.ByIdentifier,
                ("by-identifier", ReferenceMapping.ByIdentifier),
                ("same-ids", ReferenceMapping.SameIds)
            ),
            TrustConditionalCreate = settings.Flag("trustConditionalCreate", true),
            Verify = settings.Flag("verify", true),
            Authorization = settings.Object("auth") is { } auth
                ? EhrAuthorization.Read(auth, folder)
                : EhrAuthorization.None,
            Concurrency = settings.Whole("concurrency", 4, 1, 64),
            RequestsPerMinute = settings.Whole("requestsPerMinute", 0, 0, 100_000),
            Timeout = settings.Seconds("timeoutSeconds", 30, 0.1, 600),
            Settle = settings.Seconds("settleSeconds", 60, 0, 86_400),
            RetryMin = settings.Seconds("retryMinSeconds", 30, 0, 86_400),
            RetryMax = settings.Seconds("retryMaxSeconds", 6 * 3600, 0, 7 * 86_400),
            Pause = settings.Seconds("pauseSeconds", 30, 0, 900),
            ClientCertificate = settings.File("clientCertificate", folder),
            ClientCertificatePassword = settings.Secret("clientCertificatePassword", folder),
            Pull = settings.Object("pull") is { } pull ? PullSettings.Read(pull) : null,
            NotifySecret = settings.Secret("notifySecret", folder),
            TrustedCertificates = settings.File("trustedCertificates", folder),
        };
        settings.RefuseUnknown();
        return connection;
    }
}
