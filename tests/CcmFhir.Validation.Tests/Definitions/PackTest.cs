using System.Text;
using CcmFhir.Tools.PackDefinitions;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Definitions;

/// <summary>The packs inside the assembly are what the tool makes of their sources today, byte for byte.</summary>
public sealed class PackTest
{
    [Fact]
    public void The_pack_of_our_package_is_made_of_the_profiles_as_they_are()
    {
        var made = CcmPack.Make(Path.Combine(NpmPackage.Repository, "profiles"));
        Same(
            made,
            "ccm.pack",
            "dotnet run --project tools/PackDefinitions -- ccm profiles src/CcmFhir.Validation/Definitions/ccm.pack"
        );
    }

    [Fact]
    public void The_pack_of_the_base_is_made_of_the_npm_packages_as_they_are_published()
    {
        var made = BasePack.Make(
            NpmPackage.R4Examples,
            NpmPackage.Folder("hl7.fhir.r4.expansions", "4.0.1"),
            NpmPackage.Folder("hl7.terminology.r4", "7.0.1"),
            NpmPackage.Folder("language-subtag-registry", "0.4.2"),
            NpmPackage.Folder("iso-3166", "4.4.0"),
            NpmPackage.Folder("@lhncbc/ucum-lhc", "7.1.10")
        );
        Same(made, "r4.pack", "the commands in tools/PackDefinitions/Program.cs");
    }

    private static void Same(IReadOnlyList<PackItem> made, string resource, string command)
    {
        using var stream = typeof(BaseDefinitions).Assembly.GetManifestResourceStream(resource)!;
        using var pack = new MemoryStream();
        stream.CopyTo(pack);
        var bytes = pack.ToArray();
        var kept = DefinitionPack
            .Read(() => new MemoryStream(bytes), resource)
            .Select(definition => $"{definition.Kind} {definition} {Encoding.UTF8.GetString(definition.Json.Raw)}");
        var stale = made.Select(item =>
                $"{item.Kind} {new Definition(item.Kind, item.Url, item.Version, "", () => default)} {Encoding.UTF8.GetString(item.Json)}"
            )
            .Except(kept)
            .Select(text => text[..Math.Min(text.Length, 120)]);
        stale.ShouldBe([], $"The pack is older than its sources; make it anew: {command}");
        DefinitionPack.Write(made).AsSpan().SequenceEqual(bytes).ShouldBeTrue($"Make the pack anew: {command}");
    }
}
