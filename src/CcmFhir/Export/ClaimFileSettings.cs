using System.Text.Json;
using CcmFhir.Options;

namespace CcmFhir.Export;

/// <summary>The <c>claimFiles</c> part of a practice file: what an 837 file says of who sends, who receives and who is paid.</summary>
internal sealed record ClaimFileSettings
{
    /// <summary>Our id at the clearinghouse (ISA06, GS02).</summary>
    public required string SenderId { get; init; }

    /// <summary>What kind of id that is (ISA05): <c>ZZ</c> for one that was agreed on.</summary>
    public string SenderQualifier { get; init; } = "ZZ";

    /// <summary>The clearinghouse's id (ISA08, GS03).</summary>
    public required string ReceiverId { get; init; }

    /// <summary>What kind of id that is (ISA07).</summary>
    public string ReceiverQualifier { get; init; } = "ZZ";

    /// <summary>The clearinghouse's name.</summary>
    public required string ReceiverName { get; init; }

    /// <summary>Name of the payer.</summary>
    public required string PayerName { get; init; }

    /// <summary>Id of the payer at the clearinghouse.</summary>
    public required string PayerId { get; init; }

    /// <summary>Street address of the practice (no post box: 005010X222, 2010AA N3).</summary>
    public required ClaimFileAddress Address { get; init; }

    /// <summary>Phone for questions.</summary>
    public required string Phone { get; init; }

    /// <summary>Taxonomy code of the practice; null for none.</summary>
    public string? Taxonomy { get; init; }

    /// <summary>Claim filing indicator (SBR09): <c>MB</c> Medicare Part B, <c>MA</c> Part A, <c>16</c> Medicare Advantage.</summary>
    public string? FilingIndicator { get; init; }

    /// <summary>Revenue code of institutional lines (052x); null where it is not said.</summary>
    public string? RevenueCode { get; init; }

    /// <summary>Test files are marked as such (ISA15).</summary>
    public bool Test { get; init; }

    /// <summary>Folder that a clearinghouse's software sends from; null for none.</summary>
    public string? Folder { get; init; }

    /// <summary>Reads the object.</summary>
    /// <param name="json">The object.</param>
    /// <param name="folder">Folder of the practice file: relative paths start there.</param>
    /// <exception cref="InvalidDataException">A setting is unknown, missing or not what X12 takes; the message names it.</exception>
    public static ClaimFileSettings Read(JsonElement json, string folder)
    {
        var settings = new SettingsObject(json, "claimFiles");
        string Needed(string name) => settings.Text(name) ?? throw settings.Wrong(name, "is missing");
        string Id(string name) =>
            Needed(name) is { Length: >= 2 and <= 15 } id && X12Writer.Clean(id) == id
                ? id
                : throw settings.Wrong(name, "must be 2 to 15 characters of X12 (no * : ^ ~)");
        string Text(string name, int longest) =>
            Needed(name) is var text && X12Writer.Clean(text) is { Length: > 0 } clean && clean.Length <= longest
                ? text
                : throw settings.Wrong(name, $"must be 1 to {longest} characters of X12");
        string Qualifier(string name) =>
            settings.Text(name) switch
            {
                null => "ZZ",
                [var a, var b] word when char.IsAsciiLetterOrDigit(a) && char.IsAsciiLetterOrDigit(b) => word,
                _ => throw settings.Wrong(name, "must be two characters, such as ZZ, 27 or 30"),
            };
        var read = new ClaimFileSettings
        {
            SenderId = Id("senderId"),
            SenderQualifier = Qualifier("senderQualifier"),
            ReceiverId = Id("receiverId"),
            ReceiverQualifier = Qualifier("receiverQualifier"),
            ReceiverName = Text("receiverName", 60),
            PayerName = Text("payerName", 60),
            PayerId = Text("payerId", 80),
            Address = new ClaimFileAddress(
                Text("line", 55),
                null,
                Text("city", 30),
                Needed("state") is [>= 'A' and <= 'Z', >= 'A' and <= 'Z'] state
                    ? state
                    : throw settings.Wrong("state", "must be two capital letters, such as NY"),
                Claim837.Digits(Needed("postalCode")) is { Length: 9 } zip
                    ? zip
                    : throw settings.Wrong(
                        "postalCode",
                        "must be nine digits (ZIP+4): 005010 asks for them of the billing provider (2010AA N403)"
                    )
            ),
            Phone = Claim837.Digits(Needed("phone")) is { Length: 10 } phone
                ? phone
                : throw settings.Wrong("phone", "must be ten digits"),
            Taxonomy = settings.Text("taxonomy") switch
            {
                null => null,
                { Length: 10 } code when code.All(char.IsAsciiLetterOrDigit) => code,
                _ => throw settings.Wrong("taxonomy", "must be a taxonomy code of ten letters and digits"),
            },
            FilingIndicator = settings.Text("filingIndicator") is { Length: > 2 }
                ? throw settings.Wrong("filingIndicator", "must be a claim filing indicator code such as MB")
                : settings.Text("filingIndicator"),
            RevenueCode = settings.Text("revenueCode") switch
            {
                null => null,
                { Length: 4 } code when code.All(char.IsAsciiDigit) => code,
                _ => throw settings.Wrong("revenueCode", "must be four digits, such as 0521"),
            },
            Test = settings.Flag("test", false),
            Folder = settings.File("folder", folder),
        };
        settings.RefuseUnknown();
        return read;
    }
}
