namespace CcmFhir.Validation.Definitions;

/// <summary>Reads search parameters and compartments out of their JSON.</summary>
internal static class SearchReader
{
    public static SearchParameterFacts ReadParameter(FhirElement json) =>
        new(
            json["url"u8].Text ?? "",
            json["code"u8].Text ?? "",
            StructureReader.Texts(json["base"u8]),
            json["type"u8].Text ?? "special",
            json["expression"u8].Text,
            StructureReader.Texts(json["target"u8]),
            StructureReader.List(
                json["component"u8],
                part => new SearchComponent(part["definition"u8].Text ?? "", part["expression"u8].Text ?? "")
            )
        );

    public static CompartmentFacts ReadCompartment(FhirElement json) =>
        new(
            json["code"u8].Text ?? "",
            StructureReader
                .List(
                    json["resource"u8],
                    item => (Type: item["code"u8].Text ?? "", Parameters: StructureReader.Texts(item["param"u8]))
                )
                .Where(item => item.Parameters.Count > 0)
                .ToDictionary(item => item.Type, item => item.Parameters, StringComparer.Ordinal)
        );
}
