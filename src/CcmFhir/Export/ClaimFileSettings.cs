using System.Text.Json;
using CcmFhir.Options;

namespace CcmFhir.Export;

/// <summary>The <c>claimFiles</c> part of a practice file: what an 837 file says of who sends, who receives and who is paid.</summary>
internal sealed record ClaimFileSettings
{
    /// <summary>Our id at the clearinghouse.</summary>
    public required string SenderId { get; init; }

    /// <summary>The clearinghouse's id.</summary>
    public required string ReceiverId { get; init; }

    /// <summary>The clearinghouse's name.</summary>
    public required string ReceiverName { get; init; }

    /// <summary>Name of the payer.</summary>
    public required string PayerName { get; init; }

    /// <summary>Id of the payer at the clearinghouse.</summary>
    public required string PayerId { get; init; }

    /// <summary>Street address of the practice.</summary>
    public required ClaimFileAddress Address { get; init; }

    /// <summary>Phone for questions.</summary>
    public required string Phone { get; init; }

    /// <summary>Taxonomy code of the practice; null for none.</summary>
    public string? Taxonomy { get; init; }

    /// <summary>Claim filing indicator: MB for Medicare Part B.</summary>
    public string FilingIndicator { get; init; } = "MB";

    /// <summary>Test files are marked as such.</summary>
    public bool Test { get; init; }

    /// <summary>Reads the object.</summary>
    /// <exception cref="InvalidDataException">A setting is unknown or missing.</exception>
    public static ClaimFileSettings Read(JsonElement json)
    {
        var settings = new SettingsObject(json, "claimFiles");
        string Needed(string name) => settings.Text(name) ?? throw settings.Wrong(name, "is missing");
        var read = new ClaimFileSettings
        {
            SenderId = Needed("senderId"),
            ReceiverId = Needed("receiverId"),
            ReceiverName = Needed("receiverName"),
            PayerName = Needed("payerName"),
            PayerId = Needed("payerId"),
            Address = new ClaimFileAddress(Needed("line"), Needed("city"), Needed("state"), Needed("postalCode")),
            Phone = Needed("phone"),
            Taxonomy = settings.Text("taxonomy"),
            FilingIndicator = settings.Text("filingIndicator") ?? "MB",
            Test = settings.Flag("test", false),
        };
        settings.RefuseUnknown();
        return read;
    }
}
